"""What is asked of a learner's chat server, one question after the other, by its members.

Nobody here waits for the clock: a member asks `/who`, and what has not come before the answer is
not coming.
"""

from sockkit.exercises.members import Chatroom, Member
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

TALKERS, LINES = 5, 20  # who talk at the same time, and how much each says
# A line like any other, for who does not look too closely; and what the tables say nothing of.
ODD = "two  blanks, é, /name x, /room x, /to 1 x, and /who"
LEFT_OPEN = ("/", "/name", "/room", "/to", "/to 1")


def three(room: Chatroom) -> tuple[Member, Member, Member]:
    """Ada and Ben, who talk, and one without a name."""
    ada = room.join("Ada")
    ada.dare("")
    ben = room.join("Ben")
    ada.expect_nothing("Client 2 came, and said `/name Ben`. Then")
    cleo = room.join()
    for other in (ada, ben):
        other.expect_nothing("Client 3 came. Then")
    listed(ada, "1 Ada, 2 Ben, 3", "Three came, two of them said `/name`, and")
    ada.say("hello", "Who has heard it already, because they said it?")
    for other in (ben, cleo):
        told(other, "1 Ada: hello", "Client 1, Ada, said `hello`.")
    cleo.say(ODD)
    for other in (ada, ben):
        told(other, f"3: {ODD}", f"Client 3, who has no name, said `{ODD}`.")
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
    speaker.tell("/to 2 hello")
    said = f"Client 2 has left, and {speaker.label} said `/to 2 hello`. Client {speaker.number}"
    speaker.expect("no client 2", said, "Whose number is that now?")


def answered_alone(ada: Member, ben: Member, cleo: Member) -> None:
    """A word to one alone, and to nobody: question 3."""
    ada.say("/to 2 two  blanks", "A word to one: does the sender get an answer?")
    told(ben, "1 Ada to you: two  blanks", "Client 1, Ada, said `/to 2 two  blanks`.")
    cleo.expect_nothing("Client 1 said `/to 2 two  blanks`, and client")
    cleo.say("/to 2 psst")
    told(ben, "3 to you: psst", "Client 3, who has no name, said `/to 2 psst`.")
    nobody = {
        "9": "never came",
        "0": "is nobody's number",
        "-1": "is nobody's number",
        "x": "is no number",
        "Ben": "is a name",
    }
    for number, why in nobody.items():
        ada.tell(f"/to {number} hello")
        said = f"Client 1 said `/to {number} hello`, and {number} {why}."
        then = "Which error says so, and who should hear of it?"
        ada.expect(f"no client {number}", f"{said} Client 1", then)
        for other in (ben, cleo):
            other.expect_nothing(f"{said} Then", then)


def rooms(ada: Member, ben: Member, cleo: Member) -> None:
    """Who is in another room hears nothing, but for a word to one alone."""
    ben.say("/room tea")
    told(ada, "* 2 Ben left", "Client 2, Ben, said `/room tea`.", "Who was with him until now?")
    told(cleo, "* 2 Ben left", "Client 2, Ben, said `/room tea`.")
    listed(ada, "1 Ada, 2 Ben, 3", "Client 2 went to another room, and")
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
    ben.say("/room tea time")
    told(cleo, "* 2 Ben left", "Client 2, Ben, went from the room tea to tea time.")
    ben.say("hello")
    cleo.expect_nothing("Client 2 said `hello` in the room tea time, client 3 is in tea, and")
    cleo.say("hello")
    ben.expect_nothing("Client 3 said `hello` in the room tea, client 2 is in tea time, and")
    ben.say("/room lobby")
    told(ada, "* 2 Ben came", "Client 2, Ben, said `/room lobby`.")
    cleo.expect_nothing("Client 2 went from the room tea time to the lobby, and")
    ada.say("/name Eve")
    ada.say("hello")
    told(ben, "1 Eve: hello", "Client 1 said `/name Eve`, and then `hello`, in the lobby.")
    ada.say("/name Ada")
    ben.say("/room tea")
    told(ada, "* 2 Ben left", "Client 2, Ben, said `/room tea`, in the lobby.")
    told(cleo, "* 2 Ben came", "Client 2, Ben, said `/room tea`, where client 3 was already.")


def all_at_once(talkers: list[Member]) -> None:
    """Many talk at the same time: question 6."""
    for member in talkers:
        lines = [f"line {count}" for count in range(LINES)]
        member.partner.send("".join(f"{line}\n" for line in lines).encode())
    for member in talkers:
        got: list[str] = []
        while len(got) < LINES * (TALKERS - 1) and (line := member.line()):
            got.append(line)
        for other in talkers:
            expected = [f"{other.label}: line {count}" for count in range(LINES)]
            heard = [line for line in got if line.startswith(f"{other.label}:")]
            if other is not member and heard != expected:
                raise NotYet(
                    f"{TALKERS} clients talked at once, {LINES} lines each. Client "
                    f"{member.number} got {len(heard)} lines of client {other.number}"
                    + (", not in their order." if len(heard) == LINES else "."),
                    "every line once, in the order in which its sender said them.",
                    "What is shared between two calls of your callbacks?",
                )


def nobody_is_thrown_out(member: Member) -> None:
    """Commands that are not whole: an answer may do with them whatever it likes, but for that."""
    for line in LEFT_OPEN:
        member.dare(line)


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
