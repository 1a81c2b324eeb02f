"""What people are told: kinds, making, telling, the person's choices, letters, and what waits for them.

Another app registers its kinds, and who names its things, when it is ready, and calls `notify` in the transaction of
what it tells of:

    notify("interests.received", users, about=reverse("interests"), key=str(asked.pk), record=Ref("needs", need_id))
"""

from silian.web.base.notifications.kinds import Kind
from silian.web.base.notifications.kinds import register as register_kinds
from silian.web.base.notifications.making import notify
from silian.web.base.notifications.subjects import Ref
from silian.web.base.notifications.subjects import register as register_names

__all__ = ["Kind", "Ref", "notify", "register_kinds", "register_names"]
