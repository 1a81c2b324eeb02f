"""How forms look: one template for all of them."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Label, hint, error and control under each other; a summary of the errors above."""

    form_template_name = "base/forms/form.html"
    field_template_name = "base/forms/field.html"
