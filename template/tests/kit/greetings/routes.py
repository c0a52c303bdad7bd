"""Greetings over HTTP."""

from fastapi import APIRouter

router = APIRouter(prefix="/greetings", tags=["greetings"])


@router.get("/{name}")
async def get_greeting(name: str) -> str:
    """Greet someone."""
    return f"Hello {name}"
