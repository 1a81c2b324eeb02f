"""What the registry remembers."""

from silian.web.catalog.models.attachments import Attachment
from silian.web.catalog.models.bookings import Booking
from silian.web.catalog.models.changes import Alias, Change, ChangeSet
from silian.web.catalog.models.claims import Claim
from silian.web.catalog.models.drafts import Counter, Draft
from silian.web.catalog.models.duplicates import (
    AGAINST,
    DuplicatePair,
    DuplicateReport,
    MatchKey,
    Merge,
    Reason,
)
from silian.web.catalog.models.imports import Export, Import, ImportProblem, ImportRow
from silian.web.catalog.models.interests import Interest
from silian.web.catalog.models.records import (
    MODELS,
    Achievement,
    AssignmentRule,
    ChallengeSkill,
    District,
    Expert,
    Facility,
    Fund,
    Indicator,
    Label,
    Make,
    Need,
    Organisation,
    Outcome,
    Policy,
    Product,
    ProductLink,
    Project,
    Record,
    Relation,
    Term,
    Work,
)
from silian.web.catalog.models.searches import IndexState, SavedSearch, Unindexed
from silian.web.catalog.models.topics import SimilarExpert, Topic, TopicCorpus, TopicsDue

__all__ = [
    "AGAINST",
    "MODELS",
    "Achievement",
    "Alias",
    "AssignmentRule",
    "Attachment",
    "Booking",
    "ChallengeSkill",
    "Change",
    "ChangeSet",
    "Claim",
    "Counter",
    "District",
    "Draft",
    "DuplicatePair",
    "DuplicateReport",
    "Expert",
    "Export",
    "Facility",
    "Fund",
    "Import",
    "ImportProblem",
    "ImportRow",
    "IndexState",
    "Indicator",
    "Interest",
    "Label",
    "Make",
    "MatchKey",
    "Merge",
    "Need",
    "Organisation",
    "Outcome",
    "Policy",
    "Product",
    "ProductLink",
    "Project",
    "Reason",
    "Record",
    "Relation",
    "SavedSearch",
    "SimilarExpert",
    "Term",
    "Topic",
    "TopicCorpus",
    "TopicsDue",
    "Unindexed",
    "Work",
]
