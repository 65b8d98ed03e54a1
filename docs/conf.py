"""Sphinx: pages in Markdown, the reference from docstrings, tutorials from examples/."""

import re
import warnings

from sphinx.ext import autosummary
from sphinx.util.nodes import make_refnode

import annealnn

project = "annealnn"
copyright = "the annealnn developers"  # noqa: A001 - Sphinx's name
release = annealnn.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["build", "generated/unreleased.md"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"annealnn {release}"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072b2", "color-brand-content": "#0072b2"},
    "top_of_page_buttons": [],
}
html_static_path = ["_static"]
html_css_files = ["annealnn.css"]
html_copy_source = False

myst_heading_anchors = 3

# a name in single backticks is one of ours, or plain code
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
# a module's page lists its __all__, wherever the names come from
autosummary_ignore_module_all = False
autosummary_imported_members = True
# the first sentence of "Parameters in Eq. (1)'s sign." does not end at "Eq."
autosummary.WELL_KNOWN_ABBREVIATIONS += ("Eq.",)
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "generated/tutorials",
    # every script is run; examples/skeletons is no section, for it has no GALLERY_HEADER or README
    "filename_pattern": "/",
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": (),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}
# what the tests let pass, the tutorials may too
warnings.filterwarnings("ignore", message=".*dwave.networkx.*", category=DeprecationWarning)


def link_to_our_names(app, env, node, contnode):
    """Link a name in single backticks if it ends the full name of one class, function or module; else leave it code."""
    if node.get("refdomain") != "py" or node["reftype"] != "obj":
        return None
    found = [
        (name, entry)
        for name, entry in env.domains["py"].find_obj(env, None, None, node["reftarget"], None, 1)
        if entry.objtype in ("class", "exception", "function", "module") and not entry.aliased
    ]
    if len(found) != 1:
        return contnode
    name, entry = found[0]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, name)


def drop_what_python_says_of_fields(app, what, name, obj, options, lines):
    """Drop "Alias for field number 0", which a NamedTuple's fields have where the source says nothing."""
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def unlink_pages_of_scikit_learn(app, what, name, obj, options, lines):
    """Leave the text of links to labels: ours have none, and methods from scikit-learn link to its own pages."""
    lines[:] = re.sub(r":ref:`([^`<]*[^`<\s])(?:\s*<[^`]*>)?`", r"\1", "\n".join(lines)).split("\n")


def setup(app):
    """Register all three."""
    app.connect("missing-reference", link_to_our_names)
    app.connect("autodoc-process-docstring", drop_what_python_says_of_fields)
    app.connect("autodoc-process-docstring", unlink_pages_of_scikit_learn)
