from tests.cluster.firewall import parsed, removals

BEFORE = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -p icmp -j ACCEPT
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
COMMIT
"""
AFTER = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:OTHER - [0:0]
-A INPUT -p icmp -j ACCEPT
-A INPUT -p tcp -j OTHER
-A FORWARD -j DOCKER-USER
-A FORWARD -o br-0123456789ab -m comment --comment "a b" -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 172.18.0.0/16 ! -o br-0123456789ab -j MASQUERADE
-A POSTROUTING -s 10.8.0.0/24 -j MASQUERADE
COMMIT
"""


def test_what_docker_added_goes_and_what_others_added_stays() -> None:
    assert removals(parsed(BEFORE), parsed(AFTER)) == [
        "-t filter -D FORWARD -j DOCKER-USER",
        '-t filter -D FORWARD -o br-0123456789ab -m comment --comment "a b" -j ACCEPT',
        "-t filter -F DOCKER",
        "-t filter -F DOCKER-USER",
        "-t nat -D POSTROUTING -s 172.18.0.0/16 ! -o br-0123456789ab -j MASQUERADE",
        "-t filter -X DOCKER",
        "-t filter -X DOCKER-USER",
        "-t filter -P FORWARD ACCEPT",
    ]


def test_the_rules_of_a_docker_that_was_there_before_stay() -> None:
    assert removals(parsed(AFTER), parsed(AFTER)) == []


def test_nothing_is_taken_out_where_nothing_came() -> None:
    assert removals(parsed(BEFORE), parsed(BEFORE)) == []
