"""How clients of a learner's chat server go, in whatever way, and who is told of it.

The rest of what is asked of such a server is in `questions`.
"""

from sockkit.exercises.members import Chatroom, Member
from sockkit.exercises.questions import listed, told
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

LONG = 60_000  # characters of a line that soon fills what holds the output of one who won't read


def one_is_dropped(room: Chatroom, speaker: Member, *others: Member) -> Member:
    """One reads nothing, until a line to all finds it too slow. Returns somebody who came later.

    Who is told of that may hear of it before the line, or after it.
    """
    sloth = room.let_in_a_sloth()
    others = (*others, room.join("Zoe"))
    left = f"* {sloth} left"
    know: list[Member] = []
    while room.has(sloth):
        speaker.tell("x" * LONG)
        for other in others:
            if _hears(other, speaker, sloth, left, other not in know):
                know.append(other)
    said = f"Client {sloth} read nothing, and was dropped (too slow)."
    for member in (*others, speaker):
        if member in know:
            member.expect_nothing(f"{said} Beside `{left}`,")
        else:
            told(member, left, said)
    return others[-1]


def _hears(member: Member, speaker: Member, sloth: int, left: str, may_be_told: bool) -> bool:
    """Whether this one was told that the sloth has left, before the line that all must hear."""
    line = f"{speaker.label}: {'x' * LONG}\n".encode()
    news = f"{left}\n".encode()
    got = member.partner.receive(len(line))
    told_before = may_be_told and got.startswith(news)
    if told_before:
        got = got.removeprefix(news) + member.partner.receive(len(news))
    if got == line:
        return told_before
    dropped = not member.has_company(sloth)
    why = f", client {sloth} was just dropped (too slow)" if dropped else ""
    if got:
        raise NotYet(
            f"{speaker.label} said a line of {LONG:,} letters x{why}, and client {member.number} "
            f"got {len(got):,} bytes: `{plain(got, 40)}`.",
            f"{len(line):,} bytes: `{plain(line, 40)}`.",
        )
    raise NotYet(
        f"{speaker.label} spoke{why}, and client {member.number} missed the line.",
        "every line reaches all others.",
        "Whom do you tell after the one whose `send` raises `ConnectionLost`?" if dropped else "",
    )


def two_at_once(room: Chatroom, *others: Member) -> Member:
    """When one goes, another is just going: it can't be told, and all the rest must be.

    Returns somebody who came later than both.
    """
    first, second, later = room.join(), room.join(), room.join()
    room.throw_out_with(first.number, second.number)
    room.throw_out(first.number)
    room.gone(first.number)
    room.gone(second.number)
    said = f"The server threw out clients {first.number} and {second.number} at the same moment."
    for other in (*others, later):
        _both(other, said, f"* {first.number} left", f"* {second.number} left")
    return later


def while_one_goes(room: Chatroom, mover: Member, other: Member) -> None:
    """Somebody is just going when another leaves their room, and when one says a word to them.

    Whether the mover hears of it is left open: it depends on which of the two comes first.
    """
    gone = room.join()
    room.throw_out_with("/room milk", gone.number)
    mover.dare("/room milk")
    said = f"Client {gone.number} was just going, and {mover.label} said `/room milk`."
    _both(other, said, f"* {gone.number} left", f"* {mover.label} left")
    mover.say("/room lobby")
    told(other, f"* {mover.label} came", f"{mover.label} said `/room lobby`.")
    gone = room.join()
    word = f"/to {gone.number} psst"
    room.throw_out_with(word, gone.number)
    mover.dare(word)
    said = f"Client {gone.number} was just going, and {mover.label} said `{word}`."
    told(other, f"* {gone.number} left", said)


def _both(member: Member, said: str, *lines: str) -> None:
    """These come, in either order, and no others."""
    got: list[str] = []
    while len(got) < len(lines) and (line := member.line()):
        got.append(line)
    if sorted(got) != sorted(lines):
        seen = " and ".join(f"`{plain(line, 60)}`" for line in got) or "nothing"
        expected = " and ".join(f"`{line}`" for line in lines)
        raise NotYet(
            f"{said} Client {member.number} got {seen}.",
            f"{expected}.",
            "In how many ways does a client go, and who can't be told?",
        )
    member.expect_nothing(f"{said} Beside those two lines,")


def leaves(room: Chatroom, ada: Member, ben: Member, cleo: Member) -> None:
    """Who left, politely or not, and from which room: question 4."""
    ben.say("/name Big Ben")
    ben.leave()
    told(
        cleo,
        "* 2 Big Ben left",
        "Client 2 said `/name Big Ben`. Client 2 closed politely, in the room tea.",
    )
    ada.expect_nothing("Client 2 left the chat, from the room tea, and client")
    ada.tell("/to 2 hello")
    said = "Client 2 left, and client 1 said `/to 2 hello`. Client 1"
    ada.expect("no client 2", said, "What do you keep of somebody who has gone?")
    listed(ada, "1 Ada, 3", "Client 2 left, and")
    ada.say("/room garden")
    dora = room.join("Dora")  # nobody is in the lobby
    ada.say("/room lobby")
    told(dora, "* 1 Ada came", "Client 1, Ada, said `/room lobby`, where client 4 was already.")
    dora.say("/room tea")
    told(cleo, "* 4 Dora came", "Client 4 said `/room tea`, where client 3 was already.")
    told(ada, "* 4 Dora left", "Client 4 said `/room tea`.")
    dora.crash()
    told(cleo, "* 4 Dora left", "Client 4 reset its connection, in the room tea.")
    listed(ada, "1 Ada, 3", "Client 4 reset its connection, and")
