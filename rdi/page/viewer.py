"""Two pictures in one place, with a line between them that is moved: before to its left, after to its right."""

from collections.abc import Sequence
from dataclasses import dataclass

from rdi.page.markup import Html, element
from rdi.page.pictures import EncodedPicture


@dataclass(frozen=True)
class Layer:
    """A picture of the viewer.

    name:    in a word or two: what it is
    picture: all layers of a viewer show the same frame; fewer pixels are stretched
    explain: in a sentence, if its name does not say all
    """

    name: str
    picture: EncodedPicture
    explain: str = ""


def viewer(
    key: str, befores: Sequence[Layer], after: Layer, subject: str, note: str = "", *, brief: bool = False
) -> Html:
    """Before and after with a slider, and a button for full size.

    key:     tells this viewer from the others of the page; letters, digits and dashes
    befores: to choose from; without any, the picture is shown alone
    subject: what is seen, for those who do not see it
    note:    below the pictures
    brief:   without a sentence about each layer
    """
    layers = [
        _image("after", after, subject),
        *(_image("before", layer, subject, n) for n, layer in enumerate(befores)),
    ]
    line = element("div", element("span", class_="grip"), class_="line", aria_hidden="true") if befores else None
    sheet = element("div", *layers, line, class_="sheet")
    labels = [_label("before", befores[0])] if befores else []
    stage = element("div", sheet, class_="stage", role="group", aria_label=f"{subject}: picture")
    framed = element("div", stage, *labels, _label("after", after), class_="frame")
    described = (_described(layer) for layer in (*befores, after))
    caption = element("figcaption", *(() if brief else described), note or None)
    return element("figure", framed, _controls(key, befores, after), caption, class_="viewer")


def _image(role: str, layer: Layer, subject: str, place: int = 0) -> Html:
    picture = layer.picture
    return element(
        "img",
        src=picture.uri,
        alt=f"{subject}, {layer.name}",
        width=picture.width,
        height=picture.height,
        class_=role if place == 0 else f"{role} other",
        decoding="async",
        draggable="false",
        data_name=layer.name,
    )


def _label(side: str, layer: Layer) -> Html:
    return element("span", layer.name, class_=f"label {side}", aria_hidden="true")


def _controls(key: str, befores: Sequence[Layer], after: Layer) -> Html:
    zoom = element("button", "Full size", type="button", class_="zoom", aria_pressed="false")
    if not befores:
        return element("div", zoom, class_="controls")
    slider = element(
        "input",
        type="range",
        min=0,
        max=100,
        value=50,
        step=1,
        class_="slide",
        aria_label=f"Line between {befores[0].name} and {after.name}",
        aria_valuetext="50 % before",
    )
    return element("div", slider, element("div", _choice(key, befores), zoom, class_="buttons"), class_="controls")


def _choice(key: str, befores: Sequence[Layer]) -> Html | None:
    """What stands to the left of the line, where there is a choice."""
    if len(befores) < 2:
        return None
    options = (
        element(
            "label",
            element("input", type="radio", name=f"{key}-before", value=place, checked=place == 0),
            element("span", layer.name),
        )
        for place, layer in enumerate(befores)
    )
    return element("fieldset", element("legend", "Before"), *options, class_="choice")


def _described(layer: Layer) -> Html:
    explained = f": {layer.explain}" if layer.explain else ""
    return element("p", element("b", layer.name), f"{explained} ({layer.picture.describe()}).")
