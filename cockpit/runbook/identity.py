"""Step ids that survive editing: from what a step says and the heading it stands under, never from its place."""

from __future__ import annotations

import re
from hashlib import blake2b

_UNSAFE = re.compile(r"[^a-z0-9]+")
_LONGEST = 28


class Ids:
    """Gives out the ids of one document."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def named(self, name: str) -> str:
        """The id of a step whose author gave it a name."""
        return self._unique(ascii_slug(name) or _digest(name))

    def of(self, hint: str, kind: str, heading: str, content: str) -> str:
        """The id of a step without a name.

        Args:
            hint: words that make it readable; without a Latin letter among them the kind stands in.
            heading: the section's title ("" above the first heading, and under the document's own title).
            content: what the step says; how its blanks are laid out does not count.
        """
        digest = _digest(f"{' '.join(heading.split())}\0{' '.join(content.split())}")
        slug = ascii_slug(hint)
        return self._unique(f"{slug if slug.strip('-0123456789') else kind}-{digest}")

    def _unique(self, base: str) -> str:
        found = base
        while found in self._taken:
            self._taken[base] += 1
            found = f"{base}-{self._taken[base]}"
        self._taken[found] = 1
        return found


def ascii_slug(words: str) -> str:
    """The words as [a-z0-9-], at most about thirty characters, cut between words."""
    slug = _UNSAFE.sub("-", words[:200].lower()).strip("-")
    if len(slug) <= _LONGEST:
        return slug
    return slug[:_LONGEST].rsplit("-", 1)[0].strip("-") or slug[:_LONGEST]


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()
