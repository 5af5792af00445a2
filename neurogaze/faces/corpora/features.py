"""The parts of the drawn face, each painted on a batch of canvases in place.

Paired parts (brows, eyes, nostrils, folds) are drawn once in mirrored coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurogaze.faces.corpora.strokes import Field, between, bump, coverage, ellipse, line, paint

Values = dict[str, Field]

EDGE = 0.03
"""Width of a crisp edge: about one and a half pixels of the fine grid."""
SOFT = 0.10
"""Width of the edge of a shadow."""
EYE_Y = -0.18
DARK = 0.08


@dataclass(frozen=True, eq=False)
class Frame:
    """Where every pixel lies.

    Args:
        across: picture x, `[1, 1, S]`.
        down: picture y, `[1, S, 1]`.
        x: x in the upright face, `[B, S, S]`.
        y: y in the upright face, `[B, S, S]`.
        turned: x of the features, shifted by a turn of the head.
        mirrored: distance of the features from the midline.
        sketch: 0 shaded to 1 line drawing, `[B, 1, 1]`.
    """

    across: Field
    down: Field
    x: Field
    y: Field
    turned: Field
    mirrored: Field
    sketch: Field

    def band(self, low: float, high: float) -> tuple[slice, Frame]:
        """Picture rows that hold any pixel with `low <= y <= high`, and the frame of those rows."""
        inside = ((self.y >= low) & (self.y <= high)).any(axis=(0, 2))
        found = np.flatnonzero(inside)
        rows = slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
        parts = (self.x, self.y, self.turned, self.mirrored)
        x, y, turned, mirrored = (part[:, rows] for part in parts)
        return rows, Frame(self.across, self.down[:, rows], x, y, turned, mirrored, self.sketch)


def draw_head(canvas: Field, frame: Frame, person: Values, actions: Values) -> None:
    """Hair, neck, the head with its shading, hairline and beard."""
    x, y, sketch = frame.x, frame.y, frame.sketch
    hair_shape = ellipse(x, y + 0.18, person["width"] * 1.2, 1.0)
    hair_shape = np.maximum(hair_shape, y - person["hair_length"])
    paint(canvas, coverage(hair_shape, SOFT), person["hair"])
    neck = np.maximum(np.abs(x) - 0.6 * person["width"], 0.7 - y)
    paint(canvas, coverage(neck, SOFT), person["skin"] * (0.72 + 0.2 * sketch))
    drop = np.maximum(y, 0.0) * (1.0 + 0.06 * actions["mouth_open"])
    half_width = person["width"] * (1.0 - person["jaw"] * np.square(drop))
    head = ellipse(x / half_width, y / (0.95 + 0.05 * actions["mouth_open"]), 1.0, 1.0)
    inside = coverage(head, 0.06)
    shade = 1.0 - (0.34 - 0.28 * sketch) * np.square(np.clip(head + 1.0, 0.0, 1.1))
    paint(canvas, inside, person["skin"] * shade)
    outline = coverage(np.abs(head + 0.02) - 0.025, EDGE * 1.5)
    paint(canvas, outline * (0.1 + 0.75 * sketch), DARK)
    fringe = y - person["hairline"] - 0.45 * np.square(x)
    paint(canvas, inside * coverage(fringe, SOFT), person["hair"])
    chin = np.clip(3.0 * (y - 0.3 + 0.5 * np.square(x)), 0.0, 1.0)
    paint(canvas, inside * chin * person["beard"], person["hair"])


def draw_brows(canvas: Field, frame: Frame, person: Values, actions: Values) -> None:
    """Brows, the frown between them and the lines of a raised forehead."""
    inner, outer, lower = actions["inner_brow"], actions["outer_brow"], actions["brow_lower"]
    start = person["eye_distance"] - 0.2 - 0.06 * lower
    along = (frame.mirrored - start) / 0.44
    middle = EYE_Y - person["brow_height"] + lower * (0.14 - 0.07 * along)
    middle = middle - 0.16 * inner * (1.0 - along) - (0.02 * inner + 0.15 * outer) * along
    arch = 0.20 * along * (1.0 - along) - 0.04 * along
    half_width = person["brow_thickness"] * (1.15 - 0.6 * along)
    brow = np.maximum(between(along, 0.0, 1.0) * 0.44, np.abs(frame.y - middle + arch) - half_width)
    paint(canvas, coverage(brow, 0.05), 0.7 * person["hair"])
    frown = line(frame.y - EYE_Y + 0.17, frame.mirrored - 0.055, 0.13, 0.014)
    paint(canvas, coverage(frown, 0.04) * np.clip(0.75 * lower, 0, 1), 0.45 * person["skin"])
    raised = np.clip(0.35 * inner + 0.25 * outer - 0.1, 0.0, 0.6)
    height = frame.y + 0.05 * bump(frame.turned / 0.5)
    for level in (-0.62, -0.72):
        wrinkle = line(frame.turned, height - level, 0.36, 0.012)
        paint(canvas, coverage(wrinkle, 0.04) * raised, 0.6 * person["skin"])


def draw_eyes(canvas: Field, frame: Frame, person: Values, actions: Values) -> None:
    """Sockets, eyeballs between their lids, and the fold that a raised cheek makes."""
    lid, cheek = actions["lid"], actions["cheek"]
    across, down = frame.mirrored - person["eye_distance"], frame.y - EYE_Y
    half = 0.17 * person["eye_size"]
    span = bump(across / half)
    tall = 0.115 * person["eye_size"]
    squint = np.clip(1.0 - 0.5 * cheek - 0.25 * actions["brow_lower"] * (lid < 0.2), 0.3, 1.0)
    upper = -tall * np.clip(0.75 + 0.6 * lid, 0.1, 1.6) * span
    under = tall * np.clip(0.62 + 0.12 * lid, 0.2, 0.9) * squint * span
    socket = ellipse(across, down + 0.01, half * 1.45, half * 1.0)
    paint(canvas, coverage(socket, 0.16) * 0.28 * (1.0 - frame.sketch), 0.4 * person["skin"])
    opening = np.maximum(between(down, upper, under), np.abs(across) - half)
    seen = coverage(opening, EDGE)
    paint(canvas, seen, 0.45 + 0.5 * person["skin"])
    iris = ellipse(across, down + 0.01, 0.078 * person["eye_size"], 0.085 * person["eye_size"])
    paint(canvas, seen * coverage(iris, EDGE), person["iris"])
    glint = ellipse(across + 0.025, down + 0.04, 0.02, 0.02)
    paint(canvas, seen * coverage(glint, EDGE), 0.95)
    reach = np.abs(across) - 1.05 * half
    paint(canvas, coverage(np.maximum(np.abs(down - upper) - 0.018, reach), EDGE), DARK)
    paint(canvas, coverage(np.maximum(np.abs(down - under) - 0.01, reach), EDGE) * 0.4, DARK)
    bag = np.maximum(np.abs(down - under - 0.075) - 0.014, np.abs(across) - half)
    paint(canvas, coverage(bag, 0.05) * np.clip(0.08 + 0.5 * cheek, 0, 1), 0.55 * person["skin"])


def draw_nose(canvas: Field, frame: Frame, person: Values, actions: Values) -> None:
    """Bridge, nostrils, wrinkles at the root and the folds from nose to mouth."""
    wrinkle, skin = actions["nose_wrinkle"], person["skin"]
    tip = person["nose_length"] - 0.05 * wrinkle
    side = person["nose_width"] * (0.55 + 0.45 * np.clip((frame.y + 0.1) / (tip + 0.1), 0.0, 1.0))
    bridge = np.maximum(np.abs(frame.mirrored - side) - 0.02, between(frame.y, -0.12, tip))
    paint(canvas, coverage(bridge, 0.07) * (0.16 + 0.3 * frame.sketch), 0.5 * skin)
    wing = ellipse(frame.mirrored - 0.75 * person["nose_width"], frame.y - tip, 0.055, 0.035)
    paint(canvas, coverage(wing, 0.05) * 0.8, 0.3 * skin)
    base = np.abs(frame.y - tip - 0.05 * bump(frame.turned / (1.3 * person["nose_width"]))) - 0.012
    base = np.maximum(base, frame.mirrored - 1.2 * person["nose_width"])
    paint(canvas, coverage(base, 0.05) * 0.45, 0.45 * skin)
    strength = np.clip(0.7 * wrinkle, 0.0, 1.0)
    for level in (-0.16, -0.07, 0.02):
        crease = line(frame.turned, frame.y - level + 0.25 * frame.mirrored, 0.13, 0.013)
        paint(canvas, coverage(crease, 0.04) * strength, 0.45 * skin)
    fall = np.clip((frame.y - tip + 0.04) / (person["mouth_height"] - tip + 0.1), -0.2, 1.2)
    path = 1.35 * person["nose_width"] + fall * (0.12 + 0.05 * actions["lip_corner"])
    fold = np.maximum(np.abs(frame.mirrored - path) - 0.016, between(fall, 0.0, 1.0) * 0.4)
    pull = 0.07 + 0.4 * np.maximum(actions["cheek"], actions["nose_wrinkle"])
    paint(canvas, coverage(fold, 0.05) * np.clip(pull, 0.0, 0.7), 0.5 * skin)


def draw_mouth(canvas: Field, frame: Frame, person: Values, actions: Values) -> None:
    """Lips along a curve that the corners bend, and what an open mouth shows."""
    corner, gape = actions["lip_corner"], np.maximum(actions["mouth_open"], 0.0)
    press, smirk = np.clip(actions["lip_press"], 0, 1), actions["smirk"]
    stretch = 0.27 + 0.06 * np.maximum(corner, 0.0) - 0.05 * gape + 0.02 * press
    across = frame.turned / (person["mouth_width"] * stretch)
    one_side = np.clip(0.5 + 0.8 * person["side"] * across, 0.0, 1.0)
    bend = corner + 1.25 * smirk * one_side - 0.15 * smirk
    span, down = bump(across), frame.y - person["mouth_height"] - 0.05 * gape
    curve = 0.05 * corner - 0.15 * bend * np.square(np.clip(across, -1.2, 1.2))
    lifted = 0.05 * np.maximum(actions["nose_wrinkle"], 0.0)
    top = curve - (0.13 * gape + lifted) * span
    bottom = curve + 0.24 * gape * span
    thickness = person["lips"] * (1.0 - 0.75 * press) * span
    ends = (np.abs(across) - 1.0) * 0.25
    lips = np.maximum(between(down, top - 0.8 * thickness, bottom + 1.2 * thickness), ends)
    paint(canvas, coverage(lips, 0.04) * (0.85 - 0.3 * frame.sketch), 0.62 * person["skin"])
    inner = coverage(np.maximum(between(down, top, bottom), ends), EDGE)
    paint(canvas, inner, DARK)
    teeth = coverage(between(down, top, top + 0.09), EDGE)
    shown = np.clip(0.3 + 0.9 * corner + 4.0 * lifted, 0.0, 1.0)
    paint(canvas, inner * teeth * shown, 0.5 + 0.45 * person["skin"])
    seam = np.maximum(np.abs(down - curve) - 0.016, ends - 0.01)
    paint(canvas, coverage(seam, EDGE) * np.clip(1.0 - 4.0 * gape - 8.0 * lifted, 0.0, 1.0), DARK)
    for lip in (top - 0.8 * thickness, bottom + 1.2 * thickness):
        rim = np.maximum(np.abs(down - lip) - 0.01, ends)
        paint(canvas, coverage(rim, EDGE) * (0.12 + 0.6 * frame.sketch), DARK)
    shadow = np.maximum(np.abs(down - bottom - 1.2 * thickness - 0.07) - 0.02, np.abs(across) - 0.6)
    paint(canvas, coverage(shadow, SOFT) * 0.25 * (1.0 - frame.sketch), 0.5 * person["skin"])
