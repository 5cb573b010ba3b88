"""A small application that writes: the real one with a few routes more, for what only a write can show."""

from flask import Blueprint, jsonify, request
from signed_in import TOKEN
from sqlalchemy import text

from mapgrid.errors import LimitsError
from web.app import create_app
from web.database import session
from web.guards import public, signed_in
from web.settings import Settings

blueprint = Blueprint("writing", __name__, url_prefix="/api/test")


@blueprint.get("/read")
@signed_in()
def read():
    return jsonify(count=session().execute(text("SELECT count(*) FROM note")).scalar_one())


@blueprint.post("/run")
@signed_in()
def run():
    """Run the statements of the request in one transaction."""
    for statement in request.get_json()["statements"]:
        session().execute(text(statement))
    return jsonify(done=True)


@blueprint.post("/notes")
@public
def add_note():
    """Keep a note of a form or of JSON; a word `wait` waits for the row lock of note 1 first."""
    given = request.get_json() if request.is_json else request.form
    if given["word"] == "wait":
        session().execute(text("SELECT * FROM note WHERE number = 1 FOR UPDATE"))
    total = session().execute(text("SELECT count(*) FROM note")).scalar_one()
    session().execute(
        text("INSERT INTO note VALUES (:number, :word)"), {"number": int(given["number"]), "word": given["word"]}
    )
    return jsonify(number=int(given["number"]), before=total), 201, {"Location": f"/notes/{given['number']}"}


@blueprint.post("/refuse")
@signed_in()
def refuse():
    session().execute(text("DELETE FROM note"))
    raise LimitsError("no")


def writing_app(database_url, home):
    """Return the application; nobody is signed in yet."""
    app = create_app(database_url, Settings(home=home))
    app.config["WTF_CSRF_ENABLED"] = False
    app.register_blueprint(blueprint)
    return app


def browser(app, token=TOKEN):
    """Return a client that brings the cookie of somebody who signed in before."""
    client = app.test_client()
    client.set_cookie("mapgrid", token)
    return client


def prepare(connection):
    """Make the table that the routes write to."""
    connection.execute(text("CREATE TABLE IF NOT EXISTS note (number integer PRIMARY KEY, word text NOT NULL)"))
    connection.execute(text("GRANT ALL ON note TO PUBLIC"))
