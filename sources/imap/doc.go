// Package imap reads mailboxes on other servers: what comes into one becomes an event.
//
// Obligations:
//
//  1. A mail is passed by only when its event is durable, its attachments too. How far a
//     mailbox was read is durable before the next mail is. Whoever comes after a crash
//     makes the same event of the same mail, with the same id.
//  2. The first look takes what comes from then on, or came so long ago as is asked for.
//  3. Where a server gives all mails other uids, those that came since the day before the
//     last look are taken again, but for the ones known by their Message-ID; where these
//     are very many, none is, and the position says so.
//  4. A mail that is too large, or made to cost much, is an event with its headers alone,
//     which says so. None disappears in silence.
//  5. A server that does not answer, or answers without end, is left after a while. Waits
//     between tries grow. A password that is refused is not tried again and again: the
//     server might lock the account.
//  6. A token that is refused is renewed once, and then not for an hour.
//  7. A mail is marked or moved only after 1. What other programs have marked as deleted
//     is not removed.
package imap
