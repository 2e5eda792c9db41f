#!/usr/bin/env python3
"""flame_graph.py: from what `perf script -F comm,ip,sym` prints to a flame graph, an SVG without scripts.

Width is the share of samples; a frame stands on its caller. A title tells name and share where the pointer rests.
"""

import html
import re
import sys

WIDTH, ROW, LEAST = 1400, 16, 0.4
HASH = re.compile(r"::h[0-9a-f]{16}$")
# Of them every stack has dozens, and they say nothing of where time goes.
PLUMBING = re.compile(r"^(<?core::|<?alloc::boxed|std::|__rust|<?tokio::(runtime|loom)|clone3?$|start_thread$|\[unknown\])")


def stacks(lines):
    """Yields stacks, the outermost frame first."""
    frames = []
    for line in lines:
        if not line.strip():
            if frames:
                yield frames[::-1]
            frames = []
        elif line[0].isspace():
            name = line.split(None, 1)[1].strip() if len(line.split(None, 1)) > 1 else "[unknown]"
            frames.append(HASH.sub("", name))
    if frames:
        yield frames[::-1]


def shortened(name):
    """A name without what is in angle brackets, and without all but the last parts of its path."""
    while True:
        less = re.sub(r"<([^<>]*)>", lambda inside: inside.group(1).split(" as ")[0].split("::")[-1], name)
        if less == name:
            break
        name = less
    return "::".join(part for part in name.split("::")[-3:] if part)


class Node:
    def __init__(self):
        self.count = 0
        self.below = {}


def tree(all_stacks):
    root = Node()
    for stack in all_stacks:
        root.count += 1
        node = root
        for name in stack:
            if PLUMBING.match(name) or (node is not root and node.name == name):
                continue
            child = node.below.setdefault(name, Node())
            child.name = name
            child.count += 1
            node = child
    return root


def colour(name):
    """Kernel, cryptography, and all else."""
    if "::" not in name:
        return "#b9c4d0"
    if re.search(r"aes|ghash|sha2|polyval|ctr|hmac|crypto", name):
        return "#e8a33d"
    if "acra" in name:
        return "#d9584a"
    return "#e9c46a"


def depth(node):
    return 1 + max((depth(child) for child in node.below.values()), default=0)


def draw(node, x, level, total, height, out):
    for name, child in sorted(node.below.items()):
        width = WIDTH * child.count / total
        if width >= LEAST:
            y = height - (level + 1) * ROW
            title = f"{html.escape(name)}: {100 * child.count / total:.1f} %"
            out.append(f'<g><title>{title}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour(name)}"/>')
            room = int(width / 6.3)
            if room >= 3:
                text = html.escape(shortened(name)[:room])
                out.append(f'<text x="{x + 2:.1f}" y="{y + ROW - 4}">{text}</text>')
            out.append("</g>")
            draw(child, x, level + 1, total, height, out)
        x += width


def main():
    root = tree(stacks(sys.stdin))
    if root.count == 0:
        sys.exit("error: there are no samples")
    root.name = "all"
    height = (depth(root) + 2) * ROW
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="10">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="4" y="12">acra-server: {root.count} samples. Grey: kernel; orange: cryptography; red: acra; yellow: libraries</text>',
    ]
    draw(root, 0, 0, root.count, height, out)
    out.append("</svg>")
    print("\n".join(out))


main()
