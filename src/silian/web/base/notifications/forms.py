"""When somebody wants to be reached."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Desk

MORNING, EVENING = 5, 22  # the digest is made after the kept searches were looked through, and before the day ends
CLOCK: Final = [(hour, f"{hour:02}:00") for hour in range(24)]
DAYS: Final = [
    (0, _("周一")), (1, _("周二")), (2, _("周三")), (3, _("周四")), (4, _("周五")), (5, _("周六")), (6, _("周日")),
]  # fmt: skip
MOST: Final = 20  # letters a day that one can ask for


class HoursForm(forms.ModelForm):  # type: ignore[type-arg]
    """The digest, the quiet hours, the cap."""

    digest_hour = forms.TypedChoiceField(
        label=_("每日摘要的时间"),
        coerce=int,
        choices=[one for one in CLOCK if MORNING < one[0] <= EVENING],
        help_text=_("这时没有要告诉您的，就不发。"),
    )
    week_day = forms.TypedChoiceField(label=_("每周摘要在"), coerce=int, choices=DAYS)
    quiet_from = forms.TypedChoiceField(
        label=_("免打扰从"), coerce=int, choices=CLOCK, help_text=_("起止相同表示不设免打扰。时间按北京时间。")
    )
    quiet_until = forms.TypedChoiceField(label=_("免打扰到"), coerce=int, choices=CLOCK)
    cap = forms.IntegerField(
        label=_("每天最多几封即时邮件"), min_value=0, max_value=MOST, help_text=_("摘要不计；超出的并入摘要。")
    )

    class Meta:
        model = Desk
        fields: ClassVar[list[str]] = [
            "letters", "digest_hour", "week_day", "quiet_from", "quiet_until", "quiet_weekends", "cap"
        ]  # fmt: skip

    def _post_clean(self) -> Any:
        """The instance is only asked for what stands there now; `choices.keep` writes."""
