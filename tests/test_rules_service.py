"""An address in use proves service, whatever voice, levels or settings say."""

import io

import pytest

from simdiag.log import examine_log

ADDRESS = 'AT+CGPADDR=1\n+CGPADDR: 1,"10.1.2.3"\n\nOK\n'
NO_ADDRESS = 'AT+CGPADDR=2\n+CGPADDR: 2,"0.0.0.0"\n\nOK\n'


def cause(log: str) -> str:
    return examine_log(io.BytesIO(log.encode())).diagnosis.cause


@pytest.mark.parametrize(
    "other",
    [
        "AT+CSQ\n+CSQ: 99,99\n\nOK\n",
        "AT+CREG?\n+CREG: 0,2\n\nOK\n",
        'AT+COPS?\n+COPS: 1,2,"26201"\n\nOK\n',
        "AT+CNMP?\n+CNMP: 38\n\nOK\nAT+CREG?\n+CREG: 0,0\n\nOK\n",
        'AT+QENG="servingcell"\n+QENG: "servingcell","LIMSRV","LTE","FDD",460,01,0,1,1650,3,5,5,'
        "DE10,-100,-12,-68,11,27\n\nOK\n",
        "AT+CPIN?\n+CME ERROR: 13\n",
        NO_ADDRESS,
    ],
)
def test_no_false_alarm_where_an_address_is_in_use(other):
    assert cause(other + ADDRESS) == "healthy"


@pytest.mark.parametrize("other", ["AT+CSQ\n+CSQ: 99,99\n\nOK\n", NO_ADDRESS])
def test_the_order_of_the_questions_does_not_matter(other):
    assert cause(ADDRESS + other) == "healthy"


def test_a_packet_domain_lost_since_takes_it_back():
    assert cause(ADDRESS + "AT+CEREG?\n+CEREG: 0,2\n\nOK\n") == "searching"


def test_an_address_that_is_gone_counts_no_more():
    gone = 'AT+CGPADDR=1\n+CGPADDR: 1,"0.0.0.0"\n\nOK\n'
    assert cause(ADDRESS + gone + "AT+CSQ\n+CSQ: 99,99\n\nOK\n") == "no_signal"


def test_a_card_that_fails_after_it_served_is_a_fault():
    assert cause("AT+CEREG?\n+CEREG: 0,1\n\nOK\nAT+CPIN?\n+CME ERROR: 13\n") == "sim_failure"


@pytest.mark.parametrize(
    "log",
    [
        "  1. May/06/2023 14:49:20 lte,async,raw lte1: sent AT+CEREG?\n"
        '  2. May/06/2023 14:49:20 lte,async,raw lte1: rcvd +CEREG: 2,1,"D17","7CA7C",7\n',
        "15:24:02 lte,async lte2: sent AT+CEREG?\n15:24:02 lte,async lte2: rcvd +CEREG: 0,5\n"
        "15:24:02 lte,async lte2: rcvd OK\n",
    ],
)
def test_a_log_of_routeros_is_read(log):
    assert cause(log) == "healthy"


def test_answers_behind_an_arrow_are_read():
    log = "AT > OK\nAT+CFUN=1 > +CFUN: 1\n+CPIN: NOT READY\nAT+CPIN? > ERROR\nAT+CPIN? > ERROR\n"
    assert cause(log) == "sim_not_detected"
