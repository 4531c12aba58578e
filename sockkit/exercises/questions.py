"""What is asked of a learner's chat server, one question after the other, by its members.

Nobody here waits for the clock: a member asks `/who`, and what has not come before the answer is
not coming.
"""

from sockkit.exercises.members import Chatroom, Member
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

TALKERS, LINES = 5, 20  # who talk at the same time, and how much each says
LONG = 60_000  # characters of a line that soon fills what holds the output of one who won't read


def three(room: Chatroom) -> tuple[Member, Member, Member]:
    """Ada and Ben, who talk, and one without a name."""
    ada, ben, cleo = room.join("Ada"), room.join("Ben"), room.join()
    listed(ada, "1 Ada, 2 Ben, 3", "Three came, two of them said `/name`, and")
    ada.say("hello", "Who has heard it already, because they said it?")
    for other in (ben, cleo):
        told(other, "1 Ada: hello", "Client 1, Ada, said `hello`.")
    return ada, ben, cleo


def to_one_of_many(adas: list[Member]) -> None:
    """A word to one alone, of many with the same name: question 2."""
    *others, speaker = adas
    then = f"{len(adas)} people are called Ada. By what did you look for number"
    for to in (others[8], others[3]):
        said = f"{speaker.label} said `/to {to.number} psst`"
        speaker.say(f"/to {to.number} psst", f"{then} {to.number}?")
        for other in others:
            if other is not to:
                other.expect_nothing(f"{said}, and", f"{then} {to.number}?")
        told(to, f"{speaker.label} to you: psst", f"{said}.")


def one_is_dropped(room: Chatroom, speaker: Member, *others: Member) -> Member:
    """One reads nothing, until a line to all finds it too slow. Returns somebody who came later."""
    sloth = room.let_in_a_sloth()
    zoe = room.join("Zoe")
    line = "x" * LONG
    heard = f"{speaker.label}: {line}\n".encode()
    while room.has(sloth):
        speaker.partner.send(f"{line}\n".encode())
        for other in (*others, zoe):
            if other.partner.receive(len(heard)) != heard:
                why = "" if room.has(sloth) else f", client {sloth} was just dropped (too slow)"
                raise NotYet(
                    f"{speaker.label} spoke{why}, and client {other.number} missed the line.",
                    "every line reaches all others.",
                    "Whom do you tell after the one whose `send` raises `ConnectionLost`?",
                )
    for member in (*others, zoe, speaker):
        told(member, f"* {sloth} left", f"Client {sloth} read nothing, and was dropped (too slow).")
    return zoe


def answered_alone(ada: Member, ben: Member, cleo: Member) -> None:
    """A word to one alone, and to nobody: question 3."""
    ada.say("/to 2 a few words", "A word to one: does the sender get an answer?")
    told(ben, "1 Ada to you: a few words", "Client 1, Ada, said `/to 2 a few words`.")
    cleo.expect_nothing("Client 1 said `/to 2 a few words`, and client")
    for number, why in {"9": "never came", "x": "is no number"}.items():
        ada.partner.send(f"/to {number} hello\n".encode())
        said = f"Client 1 said `/to {number} hello`, and {number} {why}. Client 1"
        ada.expect(f"no client {number}", said, "Which error says so, and who should hear of it?")


def rooms(ada: Member, ben: Member, cleo: Member) -> None:
    """Who is in another room hears nothing, but for a word to one alone."""
    ben.say("/room tea")
    told(ada, "* 2 Ben left", "Client 2, Ben, said `/room tea`.", "Who was with him until now?")
    told(cleo, "* 2 Ben left", "Client 2, Ben, said `/room tea`.")
    ada.say("hello")
    told(cleo, "1 Ada: hello", "Client 1 said `hello` in the lobby.")
    ben.expect_nothing(
        "Client 1 said `hello` in the lobby, client 2 is in the room tea, and client",
        "Where is he now, and where else do you still keep him?",
    )
    ada.say("/to 2 over there")
    said = "Client 1 said `/to 2 over there` in the lobby, client 2 is in the room tea."
    told(ben, "1 Ada to you: over there", said, "Where does a word to one go?")
    cleo.say("/room tea")
    told(ada, "* 3 left", "Client 3 said `/room tea`.")
    told(ben, "* 3 came", "Client 3 said `/room tea`, where client 2 was already.")
    ben.say("hello")
    told(cleo, "2 Ben: hello", "Client 2 said `hello` in the room tea.")
    ada.expect_nothing("Client 2 said `hello` in the room tea, and client")
    listed(ada, "1 Ada, 2 Ben, 3", "Two of three went to another room, and")
    _more_rooms(ada, ben, cleo)


def _more_rooms(ada: Member, ben: Member, cleo: Member) -> None:
    """Ben goes on to another room, back to the lobby, and to the room tea again."""
    ben.say("/room milk")
    told(cleo, "* 2 Ben left", "Client 2, Ben, went from the room tea to milk.")
    ben.say("hello")
    cleo.expect_nothing("Client 2 said `hello` in the room milk, client 3 is in tea, and")
    ben.say("/room lobby")
    told(ada, "* 2 Ben came", "Client 2, Ben, said `/room lobby`.")
    cleo.expect_nothing("Client 2 went from the room milk to the lobby, and")
    ada.say("/name Eve")
    ada.say("hello")
    told(ben, "1 Eve: hello", "Client 1 said `/name Eve`, and then `hello`, in the lobby.")
    ada.say("/name Ada")
    ben.say("/room tea")
    told(ada, "* 2 Ben left", "Client 2, Ben, said `/room tea`, in the lobby.")
    told(cleo, "* 2 Ben came", "Client 2, Ben, said `/room tea`, where client 3 was already.")


def leaves(room: Chatroom, ada: Member, ben: Member, cleo: Member) -> None:
    """Who left, politely or not, and from which room: question 4."""
    ben.leave()
    told(cleo, "* 2 Ben left", "Client 2 closed politely, in the room tea.")
    ada.expect_nothing("Client 2 left the chat, from the room tea, and client")
    ada.partner.send(b"/to 2 hello\n")
    said = "Client 2 left, and client 1 said `/to 2 hello`. Client 1"
    ada.expect("no client 2", said, "What do you keep of somebody who has gone?")
    listed(ada, "1 Ada, 3", "Client 2 left, and")
    dora = room.join("Dora")
    dora.say("/room tea")
    told(cleo, "* 4 Dora came", "Client 4 said `/room tea`, where client 3 was already.")
    told(ada, "* 4 Dora left", "Client 4 said `/room tea`.")
    dora.crash()
    told(cleo, "* 4 Dora left", "Client 4 reset its connection, in the room tea.")
    listed(ada, "1 Ada, 3", "Client 4 reset its connection, and")


def all_at_once(talkers: list[Member]) -> None:
    """Many talk at the same time: question 6."""
    for member in talkers:
        lines = [f"line {count}" for count in range(LINES)]
        member.partner.send("".join(f"{line}\n" for line in lines).encode())
    for member in talkers:
        got = [member.partner.receive_line().decode() for _ in range(LINES * (TALKERS - 1))]
        for other in talkers:
            expected = [f"{other.label}: line {count}\n" for count in range(LINES)]
            heard = [line for line in got if line.startswith(f"{other.label}:")]
            if other is not member and heard != expected:
                raise NotYet(
                    f"{TALKERS} clients talked at once, {LINES} lines each. Client "
                    f"{member.number} got {len(heard)} lines of client {other.number}"
                    + (", not in their order." if len(heard) == LINES else "."),
                    "every line once, in the order in which its sender said them.",
                    "What is shared between two calls of your callbacks?",
                )


def told(member: Member, line: str, what: str, then: str = "") -> None:
    """This is the next line for that member, and there is no other."""
    member.expect(line, f"{what} Client {member.number}", then)
    member.expect_nothing(f"{what} Beside `{line}`,")


def listed(member: Member, labels: str, said: str) -> None:
    """These are the people that `/who` names: question 5."""
    got = member.who()
    if got != f"here: {labels}":
        seen = f"got `{plain(got, 160)}`" if got else "got nothing"
        then = "Who is here now, and under which name?"
        raise NotYet(f"{said} {member.label} said `/who`, and {seen}.", f"`here: {labels}`.", then)
