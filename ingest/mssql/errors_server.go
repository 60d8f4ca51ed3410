package mssql

import (
	"fmt"

	"dropline/ingest"

	mssqldb "github.com/microsoft/go-mssqldb"
)

const (
	hintSignIn = "check user and password, and that the server takes this kind of login"
	hintGrant  = "let the login be given what the GRANT script for a read-only login gives"
)

// examineServer is an error that the server itself reports. The numbers are those of its sys.messages.
func examineServer(said mssqldb.Error, at string, conn *Connection) finding {
	if f, ok := signInRefused(said.Number, at, conn); ok {
		return f
	}
	if f, ok := passing(said.Number, at); ok {
		return f
	}
	f := finding{
		kind: ingest.Invalid,
		text: fmt.Sprintf("%s reports error %d%s", at, said.Number, quote(said.Message, conn)),
		hint: "correct the query or the view; if it is not yours, tell us the number",
	}
	switch said.Number {
	case 229, 230, 262, 297, 300, 371, 378, 916, 6102, 8189, 15151, 15247:
		f.kind, f.hint = ingest.Denied, hintGrant
	case 208, 207, 2812, 4104, 4413, 4502:
		f.hint = "a table, view or column is not there, or the login may not see it: check the mapping's queries and the login's rights"
	case 3952:
		f.hint = "let snapshot isolation be allowed: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"
	case 911:
		f.hint = "check the database's name"
	case 0:
		if said.Class == 0 { // the driver's own, when the server ended a transaction
			return finding{kind: ingest.Unavailable, text: "the connection to " + at + " was lost", hint: hintWhole}
		}
	default:
		switch {
		case said.Class >= 17: // 17 to 19: out of something; from 20: the connection is gone
			f.kind, f.hint = ingest.Unavailable, hintAgain
		case said.Class == 14:
			f.kind, f.hint = ingest.Denied, hintGrant
		}
	}
	return f
}

// signInRefused is said when signing in. The server's words name the user, and so are left out.
func signInRefused(number int32, at string, conn *Connection) (finding, bool) {
	f := finding{kind: ingest.Denied, text: at + " refuses to sign the user in", hint: hintSignIn}
	switch number {
	case 18456, 18450, 18470, 15113:
	case 18452:
		f.text = at + " does not take logins of that Windows domain"
		f.hint = "use a SQL Server login, or a Windows login of a domain that the server trusts"
	case 18486:
		f.text = at + " has locked the login"
		f.hint = "let it be unlocked"
	case 18487, 18488:
		f.text = at + " says that the login's password has expired or must be changed"
		f.hint = "change the password, and send the connection string with the new one"
	case 4060, 4064, 40532:
		f.text = fmt.Sprintf("%s does not open the database %q for this login", at, clean(databaseName(conn), 128))
		f.hint = "check the database's name, and that the login has a user in it"
	case 40615, 40914, 47073:
		f.text = "the firewall of " + at + " does not let this service's address in"
		f.hint = "let the firewall admit this service's egress addresses"
	default:
		return finding{}, false
	}
	return f, true
}

func databaseName(conn *Connection) string { return redact(conn.Database(), conn) }

// passing is a state of the server's that ends by itself, or the fate of one transaction: worth another try.
func passing(number int32, at string) (finding, bool) {
	f := finding{kind: ingest.Unavailable, text: fmt.Sprintf("%s is not ready at present, error %d", at, number), hint: hintAgain}
	switch number {
	case 1205:
		f.text, f.hint = at+" chose the reading to end a deadlock", hintWhole
	case 3960, 3961, 601:
		f.text, f.hint = at+" could not keep the snapshot that was being read", hintWhole
	case 1222:
		f.text, f.hint = at+" kept what was to be read locked for too long", hintWhole
	case 596, 6005, 6006, 10053, 10054, 10060, 64, 121, 233:
		f.text, f.hint = "the connection to "+at+" was lost", hintWhole
	case 10928, 10929, 40501, 40550, 40551, 40552, 40553, 40544, 49918, 49919, 49920:
		f.text = fmt.Sprintf("%s has too much to do, error %d", at, number)
	case 701, 802, 1105, 8645, 8651, 8902, 9002:
		f.text = fmt.Sprintf("%s is out of memory or space, error %d", at, number)
	case 615, 921, 922, 923, 924, 927, 941, 942, 945, 952, 976, 978, 979, 982, 983, 988, 4221, 17142, 18401, 40143, 40166, 40197, 40540, 40613, 42108, 42109,
		18451, 18458, 18459, 18460, 18461:
	default:
		return finding{}, false
	}
	return f, true
}
