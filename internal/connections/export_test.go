package connections

import "zflow/proto"

// AppOwner names the owner of a server-to-server app's token in the bucket.
func AppOwner(account, client, server string) string {
	return "app-" + proto.Hash(account, client, server)
}
