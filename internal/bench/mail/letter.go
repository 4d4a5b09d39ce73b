package mail

import (
	"encoding/base64"
	"strconv"
)

// attached is how many bytes the attachment of a mail has: 8 KiB, of which base64 makes
// 11 KiB.
const attached = 8 << 10

// letter is a mail of its own, with one attachment of its own.
func letter(id string, n int64) []byte {
	id += "-" + strconv.FormatInt(n, 10)
	file := make([]byte, 0, attached)
	for i := int64(0); len(file) < attached-32; i++ {
		file = append(strconv.AppendInt(append(strconv.AppendInt(file, i, 10), ';'), i*n, 10), '\n')
	}
	b := make([]byte, 0, 2*attached)
	b = append(b, "From: Ada Byron <ada@example.net>\r\nTo: Desk <desk@example.org>\r\nSubject: Order "...)
	b = append(b, id...)
	b = append(b, "\r\nDate: Mon, 2 Mar 2026 11:00:00 +0100\r\nMessage-ID: <"...)
	b = append(b, id...)
	b = append(b, "@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"part\"\r\n\r\n"+
		"--part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nthe order is attached.\r\n\r\nAda\r\n"+
		"--part\r\nContent-Type: text/csv; name=\"order.csv\"\r\nContent-Disposition: attachment; filename=\"order.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"...)
	for coded := base64.StdEncoding.EncodeToString(file); coded != ""; {
		line := coded[:min(76, len(coded))]
		coded = coded[len(line):]
		b = append(append(b, line...), "\r\n"...)
	}
	return append(b, "--part--\r\n"...)
}
