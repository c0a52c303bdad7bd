"""What the features say of each other, and what their tables do."""

from app.kit.attributes import references
from app.kit.features import FEATURES
from app.kit.storage.sql_tables import Base


def test_features_say_to_which_others_they_refer() -> None:
    """Else a dump of all of them could not be loaded in its order."""
    dumped = {each.name: each for each in FEATURES if each.has("models") and each.has("sql")}

    for name, feature in dumped.items():
        feature.load("sql")
        if name in Base.metadata.tables:
            keys = Base.metadata.tables[name].foreign_keys
            others = {key.target_fullname.partition(".")[0] for key in keys} - {name}
            said = {*references(feature.load("models").Record).values()}
            assert others & dumped.keys() <= said
