"""People, where they belong, what they are entrusted with, and the log of what they did."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.base.languages import page_language


class Place(models.Model):
    """A node of the tree of regions: province, city, county, park."""

    ROOT: ClassVar[str] = "region"

    class Level(models.TextChoices):
        REGION = "region", _("全域")
        PROVINCE = "province", _("省")
        CITY = "city", _("市")
        COUNTY = "county", _("县")
        PARK = "park", _("园区")

    place_id = models.CharField(_("编号"), max_length=40, primary_key=True)
    level = models.CharField(_("级别"), max_length=10, choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(_("名称"), max_length=100)
    name_en = models.CharField(_("英文名称"), max_length=100, blank=True)
    path = models.CharField(max_length=200, unique=True)  # the ids from the root down to this one: "/52/5226/D01/"

    def __str__(self) -> str:
        return self.name_en if self.name_en and page_language() == "en" else self.name

    @classmethod
    def root(cls) -> Place:
        """The place above all others; made where there is none yet."""
        own = {"level": cls.Level.REGION, "name": "全域", "name_en": "Whole region"}
        return cls.objects.get_or_create(place_id=cls.ROOT, defaults=own)[0]

    def save(self, **options: object) -> None:
        """Keep the path in step with the parent."""
        self.path = f"{self.parent.path if self.parent else '/'}{self.place_id}/"
        super().save(**options)  # type: ignore[arg-type]


def pseudonym() -> str:
    """A name for the log that says nothing about the person: it stays when the person is erased."""
    return secrets.token_hex(8)


class People(BaseUserManager["User"]):
    """How accounts are made."""

    def create_user(
        self, email: str, password: str | None = None, *, is_confirmed: bool = True, **more: object
    ) -> User:
        """An account; without a password it opens by a reset only.

        Parameters
        ----------
        is_confirmed : whether it is known that letters to the address reach the person
        """
        from allauth.account.models import EmailAddress

        user = self.model(email=self.normalize_email(email).lower(), **more)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            EmailAddress.objects.create(user=user, email=user.email, verified=is_confirmed, primary=True)
        return user


class User(AbstractBaseUser):
    """A person with an account."""

    email = models.EmailField(_("邮箱"), unique=True)
    name = models.CharField(_("姓名"), max_length=100)
    pseudonym = models.CharField(max_length=16, unique=True, default=pseudonym, editable=False)
    language = models.CharField(_("语言"), max_length=10, default="zh-hans")
    expert_id = models.CharField(max_length=100, blank=True, db_index=True)  # the expert that this person is
    is_active = models.BooleanField(default=True)
    hides_steps = models.BooleanField(_("不再显示入门步骤"), default=False)
    joined_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[People] = People()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person acts for an organisation of the registry."""

    class Role(models.TextChoices):
        MEMBER = "member", _("成员")
        ADMINISTRATOR = "administrator", _("单位管理员")

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    org_id = models.CharField(max_length=100, db_index=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.MEMBER)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "org_id"], name="one_membership"),)


class Post(models.Model):
    """A person is entrusted with a role for a place and all below it."""

    class Role(models.TextChoices):
        BROKER = "broker", _("技术经理人")
        OFFICER = "officer", _("主管部门")
        LEADER = "leader", _("领导")
        JUDGE = "judge", _("评委")
        AUDITOR = "auditor", _("审计员")
        ADMINISTRATOR = "administrator", _("系统管理员")

    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    role = models.CharField(max_length=20, choices=Role)
    place = models.ForeignKey(Place, models.PROTECT)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "role", "place"], name="one_post"),)


class LogEntry(models.Model):
    """One thing that somebody read or did. No name stands in it: a pseudonym, which outlives the account.

    Entries are written in the transaction of what they tell of, and get their number and digest when they are sealed
    (see `audit.py`). Their ids have gaps where a transaction was rolled back; their numbers have none.
    """

    at = models.DateTimeField(default=timezone.now)
    who = models.CharField(max_length=16, blank=True)  # a pseudonym; empty: nobody signed in
    action = models.CharField(max_length=40)
    noun = models.CharField(max_length=40, blank=True)
    record_id = models.CharField(max_length=300, blank=True)  # as long as the longest key of several columns
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=32, blank=True)
    number = models.BigIntegerField(null=True, unique=True)  # in the chain, from 1; null: not sealed yet
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["at", "id"], name="log_by_time"),
            models.Index(fields=["who", "at", "id"], name="log_of_person"),
            models.Index(fields=["action", "at", "id"], name="log_of_action"),
            models.Index(fields=["noun", "record_id", "at", "id"], name="log_of_record"),
            models.Index(fields=["id"], name="log_unsealed", condition=models.Q(number=None)),
        )


class ChainHead(models.Model):
    """The end of the sealed log: one row, signed with the key of the site."""

    number = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64)
    signature = models.CharField(max_length=100)
    at = models.DateTimeField(default=timezone.now)


class ChainCheck(models.Model):
    """One walk along the sealed log, and what it found. Later walks hold its end against the log."""

    at = models.DateTimeField(default=timezone.now)
    number = models.BigIntegerField()  # of the last entry that was right
    digest = models.CharField(max_length=64)
    finding = models.CharField(max_length=20, blank=True)  # empty: all is right; else one of `audit.FINDINGS`
    broken = models.BigIntegerField(null=True)  # number of the entry of the finding
    signature = models.CharField(max_length=100)


class Invitation(models.Model):
    """Somebody is asked to join: an organisation as its member, or a place in a post. It is accepted once."""

    email = models.EmailField(_("邮箱"))
    name = models.CharField(_("姓名"), max_length=100)
    role = models.CharField(_("角色"), max_length=20)  # of a membership or of a post
    org_id = models.CharField(max_length=100, blank=True, db_index=True)  # of a membership; else empty
    place = models.ForeignKey(Place, models.PROTECT, null=True, related_name="+")  # of a post; else none
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    pseudonym = models.CharField(max_length=16, blank=True)  # of who invites; empty: the operator of the site
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(org_id="", place__isnull=False) | models.Q(place=None) & ~models.Q(org_id=""),
                name="to_one_thing",
            ),
        )

    @property
    def state(self) -> str:
        """What became of it: accepted, revoked, expired; else open."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "open"

    @property
    def role_label(self) -> str:
        """The role in words."""
        kinds = Membership.Role if self.org_id else Post.Role
        return str(kinds(self.role).label)


class Consent(models.Model):
    """A person has agreed that their data serve a purpose, and perhaps taken it back; each giving is a row."""

    class Purpose(models.TextChoices):
        CONTACT = "contact", _("双方同意对接后，向对方公开我的邮箱")
        LETTERS = "letters", _("通过邮件接收我订阅的检索结果与进展")

    user = models.ForeignKey(User, models.CASCADE, related_name="consents")
    purpose = models.CharField(_("用途"), max_length=20, choices=Purpose)
    wording = models.CharField(_("文本版本"), max_length=20)  # the text to which the person agreed
    given_at = models.DateTimeField(_("同意时间"), default=timezone.now)
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "purpose"], condition=models.Q(withdrawn_at=None), name="one_consent_in_force"
            ),
        )


class Erasure(models.Model):
    """The receipt of an account that was erased: its text tells no name."""

    number = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField(default=timezone.now)
    text = models.TextField()


class Desk(models.Model):
    """What a person has chosen of notifications, and how much waits for them, for the frame of every page."""

    class Letters(models.TextChoices):
        ALL = "all", _("按各类的选择")
        ONCE = "once", _("不要摘要")
        REQUIRED = "required", _("只要必须送达的")

    user = models.OneToOneField(User, models.CASCADE, related_name="desk")
    choices = models.JSONField(default=dict)  # kind → {"mail": how, "site": whether}, where it is not the default
    letters = models.CharField(_("邮件"), max_length=10, choices=Letters, default=Letters.ALL)
    digest_hour = models.PositiveSmallIntegerField(_("摘要时间"), default=8)
    week_day = models.PositiveSmallIntegerField(_("每周摘要"), default=0)  # 0: Monday
    quiet_from = models.PositiveSmallIntegerField(_("免打扰从"), default=21)  # the same hour twice: never quiet
    quiet_until = models.PositiveSmallIntegerField(_("免打扰到"), default=8)
    quiet_weekends = models.BooleanField(_("周末免打扰"), default=False)
    cap = models.PositiveSmallIntegerField(_("每天最多几封即时邮件"), default=5)
    devices = models.JSONField(default=list)  # digests of the kinds of browser that have signed in, the latest last
    todo = models.PositiveIntegerField(default=0)  # what waits, as last counted
    todo_at = models.DateTimeField(null=True)  # when that was; null: it may have changed since


class Letter(models.Model):
    """A letter of notifications. It is noted before it is sent: sent again after a kill, it has the same Message-ID."""

    class State(models.TextChoices):
        WAITING = "waiting", _("待发送")
        SENT = "sent", _("已发出")
        FAILED = "failed", _("未能发出")
        VOID = "void", _("不必再发")

    user = models.ForeignKey(User, models.CASCADE, related_name="letters")
    slot = models.CharField(max_length=40)  # digest:<day>, once:<number of its first notification>
    message_id = models.CharField(max_length=200, unique=True)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(default=timezone.now)
    next_at = models.DateTimeField(default=timezone.now)  # not tried before
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "slot"], name="one_letter"),)
        indexes = (
            models.Index(fields=["next_at"], name="letters_waiting", condition=models.Q(state="waiting")),
            models.Index(fields=["user", "sent_at"], name="letters_of_person"),
        )


class Notification(models.Model):
    """Something a person is told: by its kind, what it is about and plain facts. Names are looked up when it is read.

    Each one ends in one way by mail: not at all (it stands on the site), in a letter of its own, or in a digest.
    """

    class Mail(models.TextChoices):
        WAITING = "waiting", _("待处理")
        NONE = "none", _("仅站内")
        POSTED = "posted", _("在邮件中")
        FAILED = "failed", _("邮件未能发出")

    user = models.ForeignKey(User, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)  # the same thing twice is told once
    about = models.CharField(max_length=1000, blank=True)  # path of the page to go to
    facts = models.JSONField(default=dict)  # numbers, codes, and of records their noun and id
    made_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(default=timezone.now)  # from when on it waits for its letter
    due_at = models.DateTimeField(default=timezone.now)  # when to look again whether it may go
    on_site = models.BooleanField(default=True)
    is_over = models.BooleanField(default=False)  # meant to go at once, put into the digest by the cap
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=10, choices=Mail, default=Mail.WAITING)
    letter = models.ForeignKey(Letter, models.SET_NULL, null=True, related_name="notifications")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "kind", "key"], name="told_once"),)
        indexes = (
            models.Index(fields=["user", "-made_at", "-id"], name="told_to_person"),
            models.Index(fields=["user"], name="told_unread", condition=models.Q(read_at=None, on_site=True)),
            models.Index(fields=["due_at", "user"], name="told_unsent", condition=models.Q(mail="waiting")),
            models.Index(fields=["made_at"], name="told_by_time"),
        )
