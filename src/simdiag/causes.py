"""The causes that a diagnosis can name: layer, who can act, and what to tell the user.

Codes are stable: they may be added to, never renamed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from simdiag.message import N_


class Responsible(enum.StrEnum):
    """Who can act on a cause."""

    NOBODY = "nobody"
    USER = "user"
    SELLER = "seller"
    OPERATOR = "operator"
    DEVICE_MAKER = "device_maker"
    HOST_ADMIN = "host_admin"


RESPONSIBLE_TITLES = {
    Responsible.NOBODY: N_("nobody has to act"),
    Responsible.USER: N_("you"),
    Responsible.SELLER: N_("the seller of the card"),
    Responsible.OPERATOR: N_("the mobile operator"),
    Responsible.DEVICE_MAKER: N_("the maker or seller of the device"),
    Responsible.HOST_ADMIN: N_("whoever administers this computer"),
}


class CauseLayer(enum.IntEnum):
    """Where in the stack a cause sits; a fault below explains the symptoms above it."""

    NONE = 0
    HOST = 1
    DEVICE = 2
    SIM = 3
    RADIO = 4
    SUBSCRIPTION = 5
    DATA = 6
    USAGE = 7


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause: a sentence for lay people, who can act, and the next steps in order."""

    code: str
    layer: CauseLayer
    responsible: Responsible
    title: str
    steps: tuple[str, ...]


_L, _R = CauseLayer, Responsible

CAUSES: dict[str, Cause] = {
    cause.code: cause
    for cause in (
        Cause("healthy", _L.NONE, _R.NOBODY,
              N_("Card and device are in order."),
              (N_("If something still does not work, say what you were doing and when, and examine again at that moment."),)),
        Cause("inconclusive", _L.NONE, _R.USER,
              N_("What was seen is not enough to name a cause."),
              (N_("Examine the device with `simdiag check`, or add the answers to the commands asked for below."),)),
        # ---- host and USB
        Cause("no_modem_found", _L.HOST, _R.USER,
              N_("No modem was found on this computer."),
              (N_("Check the port's name, if you gave one: `simdiag devices` lists what is attached."),
               N_("Plug the device directly into the computer with another cable, and wait 30 seconds."),
               N_("If `lsusb` does not list it either, try it on another computer: the device or its cable is broken."),)),
        Cause("no_at_port", _L.HOST, _R.HOST_ADMIN,
              N_("The device is in a USB mode without a command port."),
              (N_("Open the device's own web page, or switch it to modem (stick) mode with usb_modeswitch."),
               N_("If the device has no such mode, move the card into a device with a command port and examine it there."),)),
        Cause("port_busy", _L.HOST, _R.HOST_ADMIN,
              N_("Another program is using the device."),
              (N_("Close the program that holds the port, then examine again."),)),
        Cause("port_denied", _L.HOST, _R.HOST_ADMIN,
              N_("You are not allowed to open the device's port."),
              (N_("Add yourself to the group that owns the port (usually: sudo usermod -aG dialout $USER), then log in again."),
               N_("Or open the ports of modems to whoever sits at this computer: sudo simdiag install-udev --install"),)),
        Cause("modem_not_responding", _L.HOST, _R.DEVICE_MAKER,
              N_("The device does not answer."),
              (N_("Unplug the device, wait ten seconds, plug it in again and examine it after 30 seconds."),
               N_("Try the device's other ports (`simdiag devices` lists them)."),
               N_("If it stays mute on another computer too, have the device exchanged."),)),
        Cause("device_removed", _L.HOST, _R.USER,
              N_("The device vanished while it was examined."),
              (N_("If nobody unplugged it, its power is too weak: use a USB port or hub with its own supply and a short cable."),
               N_("Plug it in again and repeat the examination."),)),
        Cause("host_network_fault", _L.HOST, _R.HOST_ADMIN,
              N_("The mobile connection works, but this computer does not use it properly."),
              (N_("Renew the address of the device's network interface, then check the default route and the name servers."),)),
        # ---- device
        Cause("radio_off", _L.DEVICE, _R.USER,
              N_("The device's radio is switched off."),
              (N_("Leave flight mode, or switch the radio on with the device's key, its web page or AT+CFUN=1."),
               N_("If it stays off, look for a hardware switch (W_DISABLE) or a lock by the laptop's maker."),)),
        Cause("modem_fault", _L.DEVICE, _R.DEVICE_MAKER,
              N_("The device itself is at fault."),
              (N_("Feed the device from a stronger supply and examine it again: low voltage looks like many other faults."),
               N_("Restore its factory firmware and settings, or have it exchanged."),)),
        Cause("modem_not_ready", _L.DEVICE, _R.USER,
              N_("The device is still starting."),
              (N_("Wait a minute, then examine again."),
               N_("If it never gets ready, take the card out and start the device without it: then the card is at fault."),)),
        Cause("overheating", _L.DEVICE, _R.USER,
              N_("The device is too hot to work."),
              (N_("Unplug it, let it cool, and give it air and shade."),)),
        Cause("device_network_locked", _L.DEVICE, _R.DEVICE_MAKER,
              N_("The device accepts cards of one operator only, and this is none of them."),
              (N_("Ask the seller of the device to unlock it, or use a card of the operator it is locked to."),)),
        # ---- SIM
        Cause("sim_not_detected", _L.SIM, _R.USER,
              N_("The device does not see a SIM card."),
              (N_("Switch the device off, take the card out, clean its contacts and put it back the right way round until it clicks."),
               N_("Put this card into another device. Seen there: this device's slot is at fault. Not seen either: have the card exchanged."),)),
        Cause("sim_failure", _L.SIM, _R.SELLER,
              N_("The SIM card does not answer properly."),
              (N_("Take the card out, clean its contacts, put it back and examine again."),
               N_("Put this card into another device, and another card into this one. The fault moves with what is broken."),
               N_("If the card fails in both devices, have it exchanged."),)),
        Cause("sim_pin_required", _L.SIM, _R.USER,
              N_("The SIM card waits for its PIN."),
              (N_("Enter the PIN printed on the card's carrier. Mind the tries left: stop at one."),
               N_("Or put the card into a phone and switch its PIN off there."),)),
        Cause("sim_puk_required", _L.SIM, _R.USER,
              N_("The SIM card is blocked after wrong PINs and waits for its PUK."),
              (N_("Get the PUK from the card's carrier or from the operator. Never guess: ten wrong PUKs destroy the card."),)),
        Cause("sim_profile_missing", _L.SIM, _R.SELLER,
              N_("The eSIM or card holds no active subscription."),
              (N_("Download or switch on the eSIM's profile, or put in a card with a subscription."),)),
        # ---- radio
        Cause("no_signal", _L.RADIO, _R.USER,
              N_("The device hears no network at all."),
              (N_("Go to a window or outdoors and examine again."),
               N_("Check that the antenna is connected. If a phone has signal at the same place, the antenna or the device is at fault."),)),
        Cause("weak_signal", _L.RADIO, _R.USER,
              N_("The signal is too weak for a reliable connection."),
              (N_("Move the device to a window, higher up, away from metal and computers, or connect an outside antenna."),
               N_("Compare with a phone on the same network at the same place; if it is as weak, ask the operator about coverage."),)),
        Cause("searching", _L.RADIO, _R.USER,
              N_("The device has not found a network that it can use."),
              (N_("Wait two minutes, then examine again at a place with good reception."),
               N_("Put this card into a phone. Served there: the device's bands or settings are at fault. Not served: ask the seller whether the card is activated."),)),
        Cause("band_or_mode_restricted", _L.RADIO, _R.USER,
              N_("The device is set to bands or technologies that do not serve here."),
              (N_("Set the network mode to automatic and remove band or cell locks, then examine again."),)),
        Cause("operator_selection_wrong", _L.RADIO, _R.USER,
              N_("The device is told to use a network that does not serve it here."),
              (N_("Set the network selection to automatic, then examine again."),)),
        # ---- subscription
        Cause("sim_not_activated", _L.SUBSCRIPTION, _R.SELLER,
              N_("The SIM card is fine, but it is not activated (or no longer)."),
              (N_("Finish the activation as the seller describes it; it may take effect only after some hours."),
               N_("If it is done already, ask the seller for the state of this card by its number (ICCID)."),)),
        Cause("roaming_not_allowed", _L.SUBSCRIPTION, _R.OPERATOR,
              N_("The network here does not serve this card: no roaming is allowed or agreed."),
              (N_("Check with the card's operator that roaming is switched on and covers this country and network."),
               N_("Set the network selection to automatic, so that an allowed network can be found."),)),
        Cause("device_not_allowed", _L.SUBSCRIPTION, _R.OPERATOR,
              N_("The network refuses this device, not the card."),
              (N_("Put the card into another device to confirm it."),
               N_("Ask the operator whether the device's IMEI is blocked, not certified, or not the one that the card is bound to."),)),
        Cause("network_refused", _L.SUBSCRIPTION, _R.OPERATOR,
              N_("The network refuses the card and does not say clearly why."),
              (N_("Put the card into another device at the same place. Refused there too: it is the card's subscription. Served there: it is this device."),
               N_("Ask the operator why the registration of this card is refused; give time, place and the reject cause."),)),
        # ---- data
        Cause("apn_wrong", _L.DATA, _R.USER,
              N_("The access point name (APN) is wrong for this card."),
              (N_("Set the APN that the card's seller gives, and start the device again."),)),
        Cause("apn_auth_rejected", _L.DATA, _R.USER,
              N_("The network rejects the user name or password of the data connection."),
              (N_("Set user name, password and authentication type as the card's seller gives them; most public APNs need none."),)),
        Cause("data_not_subscribed", _L.DATA, _R.OPERATOR,
              N_("The card's plan does not include this data service."),
              (N_("Ask the operator or seller to add data to the plan, or for the APN that belongs to it."),)),
        Cause("data_barred", _L.DATA, _R.OPERATOR,
              N_("The operator bars data for this card."),
              (N_("Check the account: unpaid, out of data, or barred at somebody's wish. Top up or ask the operator."),)),
        Cause("data_not_connected", _L.DATA, _R.HOST_ADMIN,
              N_("Card and network are fine, but no data connection has been opened."),
              (N_("Start the connection: in the network manager, on the device's web page, or by dialling."),)),
        # ---- usage
        Cause("quota_exhausted", _L.USAGE, _R.USER,
              N_("The data of the plan is used up."),
              (N_("Top up, or wait for the next period."),)),
        Cause("usage_mismatch", _L.USAGE, _R.OPERATOR,
              N_("More data was counted than was used."),
              (N_("Send the counters of both sides for the same days to whoever counts too much: the operator, or the seller of the device."),)),
        Cause("background_usage", _L.USAGE, _R.USER,
              N_("Programs in the background used the data."),
              (N_("Switch off updates and synchronisation on metered connections."),)),
    )
}  # fmt: skip
