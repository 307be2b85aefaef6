"""E-mail over SMTP. The Message-ID follows from the message, so a second delivery is recognisable, and a
correction stands in the thread of what it corrects (RFC 5322, section 3.6.4)."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from emon.config import Settings
from emon.domain.instant import to_datetime
from emon.limits import SEND_TIMEOUT_S
from emon.notify.channels.port import Outgoing, Passing, Permanent, Receipt


class EmailChannel:
    """One SMTP session a message."""

    name = "email"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._domain = settings.smtp_from.rpartition("@")[2].strip("<> ") or "localhost"

    async def send(self, outgoing: Outgoing) -> Receipt:
        settings = self._settings
        try:
            mail = self.compose(outgoing)
        except ValueError as error:
            raise Permanent(f"{outgoing.address!r} is no e-mail address: {error}") from error
        try:
            refused, answer = await aiosmtplib.send(
                mail, sender=settings.smtp_from, recipients=[outgoing.address], hostname=settings.smtp_host,
                port=settings.smtp_port, username=settings.smtp_username or None,
                password=settings.smtp_password.get_secret_value() or None,
                start_tls=settings.smtp_starttls, timeout=SEND_TIMEOUT_S)
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code if error.recipients else 550
            raise (Permanent if code >= 500 else Passing)(f"recipient refused: {error}") from error
        except (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPSenderRefused) as error:
            raise Passing(f"the server does not take our mail: {error}") from error  # ours to repair
        except aiosmtplib.SMTPResponseException as error:
            raise (Permanent if error.code >= 500 else Passing)(f"{error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Passing(f"the mail server is away: {error}") from error
        assert not refused  # one recipient: refused is an exception
        return Receipt(mail["Message-ID"], answer)

    def compose(self, outgoing: Outgoing) -> EmailMessage:
        """The mail. Raises ValueError for an address that is none."""
        mail = EmailMessage()
        mail["From"] = self._settings.smtp_from
        mail["To"] = Address(outgoing.recipient_name, addr_spec=outgoing.address)
        mail["Subject"] = outgoing.subject
        mail["Date"] = format_datetime(to_datetime(outgoing.created_at))
        mail["Message-ID"] = self._id(outgoing.message_id)
        if outgoing.references:
            mail["In-Reply-To"] = self._id(outgoing.references[-1])
            mail["References"] = " ".join(self._id(one) for one in outgoing.references)
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
        if outgoing.priority == 1:
            mail["Importance"] = "high"
        mail.set_content(outgoing.text)
        return mail

    def _id(self, message_id: str) -> str:
        return f"<{message_id}@{self._domain}>"


def open_channel(settings: Settings) -> EmailChannel | None:
    """The channel, where a mail server is set."""
    return EmailChannel(settings) if settings.smtp_host else None
