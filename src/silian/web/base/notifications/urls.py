"""Addresses of notifications and of what waits."""

from django.urls import path

from silian.web.base.notifications import views

urlpatterns = [
    path("notifications/", views.notification_list, name="notifications"),
    path("notifications/read/", views.notification_read, name="notification_read"),
    path("notifications/<int:number>/open/", views.notification_open, name="notification_open"),
    path("notifications/kinds/", views.kind_list, name="notification_kinds"),
    path("notifications/kinds/choose/", views.kind_choose, name="notification_choose"),
    path("notifications/kinds/all/", views.kind_all, name="notification_all"),
    path("notifications/stop/<str:key>/", views.letter_stop, name="notifications_stop"),
    path("todo/", views.todo_list, name="todo"),
]
