"""What a browser shows at login: plain HTML, so that a script can click it."""
from html import escape

STYLE = "body{font:16px sans-serif;max-width:36em;margin:3em auto;padding:0 1em}" \
        "label{display:block;margin:.4em 0}button{font:inherit;margin:1em 1em 0 0}"


def _document(title, body):
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n").encode()


def consent(app, person, scopes, orgs, hidden, complaint=""):
    """hidden: the request's own parameters, to come back with the click.  The
    empty tenant tells that boxes were shown, even if none is ticked."""
    hidden_inputs = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
                            for name, value in hidden)
    boxes = "".join(f'<label><input type="checkbox" name="tenant" value="{escape(org.tenant_id)}" checked> '
                    f"{escape(org.name)}</label>\n" for org in orgs)
    if boxes:
        boxes = f'<h2>Organisations</h2>\n<input type="hidden" name="tenant" value="">\n{boxes}'
    listed = "".join(f"<li><code>{escape(scope)}</code></li>\n" for scope in scopes)
    return _document(f"{app.name} wants access", (
        f"<p>You are logged in to the sandbox as {escape(person)}.</p>\n"
        + (f'<p role="alert">{escape(complaint)}</p>\n' if complaint else "")
        + f'<form method="get" action="/identity/connect/authorize">\n{hidden_inputs}{boxes}'
        f"<h2>Scopes</h2>\n<ul>\n{listed}</ul>\n"
        '<button name="consent" value="yes">Allow access</button>\n'
        '<button name="consent" value="no">Cancel</button>\n</form>'))


def refusal(code, reason):
    return _document("Sorry, something went wrong", f"<p>{escape(reason)}</p>\n<p>Error: <code>{escape(code)}</code></p>")
