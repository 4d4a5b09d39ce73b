// Package email is an SMTP server whose mails become events, and the parser of mails.
//
// Obligations:
//
//  1. A mail is answered 250 only when an event is durable for each mailbox that it is
//     for, its attachments too. Else it is 451, and whoever sent it tries again: the
//     event's id is that of the mail, so that this is no second run.
//  2. Mails are taken only for the domains and mailboxes that are received, never to be
//     sent on: others are refused before the mail is read. While nobody knows which
//     mailboxes there are, the answer is 451, never 550.
//  3. What a mail contains cannot make it cost much: sizes, parts, nesting, headers,
//     connections and times are limited. What is broken in it is taken as far as it can
//     be read, with a word on each problem.
//  4. Only CRLF . CRLF ends a mail.
//  5. What a program has sent by itself says so in its event: nothing answers to it
//     unless that is asked for.
package email
