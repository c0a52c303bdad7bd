"""Notes over HTTP. Each route calls one method of the repository."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from app.kit.http import (
    CREATED,
    NOT_MODIFIED,
    TAGGED,
    Cursor,
    Data,
    Id,
    IdempotencyKey,
    IfMatch,
    IfNoneMatch,
    Limit,
    Page,
    documented,
    etag,
    route_to,
    stop_if_current,
    tagged,
    to_page,
)
from app.notes.models import FULL, Comment, NewContent, NewNote, Note, NoteChange
from app.notes.repository import NoteRepository


async def get_notes(request: Request) -> Any:
    return request.state.notes


Notes = Annotated[NoteRepository, Depends(get_notes)]

router = APIRouter(
    prefix="/notes",
    tags=["notes"],
    route_class=route_to("notes", "note_id"),
    responses=documented(500, 503),
)


@router.get("", responses=documented(422))
async def list_notes(notes: Notes, limit: Limit = 20, cursor: Cursor = None) -> Page[Note]:
    """Return a page of notes, newest first."""
    return to_page(await notes.latest(limit=limit + 1, before=cursor), limit)


@router.post("", status_code=201, responses=CREATED | documented(408, 413, 422))
async def create_note(
    body: NewNote, notes: Notes, response: Response, idempotency_key: IdempotencyKey = None
) -> Data[Note]:
    """Store a new note."""
    note = await notes.add(Note.new(body), key=idempotency_key)
    response.headers["Location"] = f"/notes/{note.id}"
    return tagged(note, response)


@router.get("/{note_id}", responses=TAGGED | NOT_MODIFIED | documented(404))
async def get_note(
    note_id: Id, notes: Notes, response: Response, if_none_match: IfNoneMatch = ()
) -> Data[Note]:
    """Return a note with its comments."""
    note = await notes.get(note_id)
    stop_if_current(if_none_match, note.version)
    return tagged(note, response)


@router.put("/{note_id}", responses=TAGGED | documented(404, 408, 412, 413, 422))
async def replace_note(
    note_id: Id, body: NewNote, notes: Notes, response: Response, if_match: IfMatch = None
) -> Data[Note]:
    """Replace all fields that a client may write."""
    return tagged(await notes.update(note_id, body.values(), expected=if_match), response)


@router.patch("/{note_id}", responses=TAGGED | documented(404, 408, 412, 413, 422))
async def update_note(
    note_id: Id, body: NoteChange, notes: Notes, response: Response, if_match: IfMatch = None
) -> Data[Note]:
    """Change the fields that are sent; without any, nothing changes."""
    if values := body.values():
        return tagged(await notes.update(note_id, values, expected=if_match), response)
    return tagged(await notes.get(note_id, expected=if_match), response)


@router.delete(
    "/{note_id}", status_code=204, response_class=Response, responses=documented(404, 412)
)
async def delete_note(note_id: Id, notes: Notes, if_match: IfMatch = None) -> None:
    """Delete a note with its comments."""
    await notes.delete(note_id, expected=if_match)


@router.post("/{note_id}/send", responses=TAGGED | documented(404, 412))
async def send_note(
    note_id: Id, notes: Notes, response: Response, if_match: IfMatch = None
) -> Data[Note]:
    """Add 1 to the number of times a note was sent."""
    return tagged(await notes.send(note_id, expected=if_match), response)


@router.post(
    "/{note_id}/comments",
    status_code=201,
    responses=CREATED | documented(404, 408, 412, 413, 422) | documented(409, detail=FULL),
)
async def create_comment(
    note_id: Id,
    body: NewContent,
    notes: Notes,
    response: Response,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Data[Comment]:
    """Add a comment to a note, which has up to 100."""
    comment, version = await notes.add_comment(
        note_id, Comment.new(body.content), expected=if_match, key=idempotency_key
    )
    response.headers["ETag"] = etag(version)
    response.headers["Location"] = f"/notes/{note_id}/comments/{comment.id}"
    return Data(comment)


@router.get("/{note_id}/comments/{comment_id}", responses=documented(404))
async def get_comment(note_id: Id, comment_id: Id, notes: Notes) -> Data[Comment]:
    """Return one comment."""
    return Data((await notes.get(note_id)).comment(comment_id))


@router.delete(
    "/{note_id}/comments/{comment_id}",
    status_code=204,
    response_class=Response,
    responses=documented(404, 412),
)
async def delete_comment(
    note_id: Id, comment_id: Id, notes: Notes, if_match: IfMatch = None
) -> None:
    """Delete a comment."""
    await notes.delete_comment(note_id, comment_id, expected=if_match)
