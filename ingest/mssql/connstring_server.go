package mssql

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

const defaultPort = 1433

// parseServer reads what ADO.NET and ODBC allow as the value of Server: tcp:host\instance,port and the like.
func parseServer(key, value string, local bool) (endpoint, error) {
	var e endpoint
	text, err := stripProtocol(key, value)
	if err != nil {
		return e, err
	}
	text, port := cutPort(text, ',')
	if port == "" && strings.Count(text, ":") == 1 {
		text, port = cutPort(text, ':') // not Microsoft's way, but everybody else's
	}
	host, instance, named := strings.Cut(text, `\`)
	host = strings.TrimSpace(host)
	if host == "." || host == "" && named || strings.EqualFold(host, "(local)") {
		host = "localhost"
	}
	if e.host, err = vetHost(key, host, local); err != nil {
		return e, err
	}
	if named {
		if e.instance, err = vetInstance(key, instance); err != nil {
			return e, err
		}
	}
	if port != "" {
		e.port, err = vetPort(key, port)
	}
	return e, err
}

func stripProtocol(key, value string) (string, error) {
	text := strings.TrimSpace(value)
	lower := strings.ToLower(text)
	switch {
	case strings.HasPrefix(lower, "tcp:"):
		return strings.TrimSpace(text[len("tcp:"):]), nil
	case strings.HasPrefix(lower, "np:"), strings.HasPrefix(text, `\\`):
		return "", fault(key, "named pipes cannot be used; give host,port and enable TCP/IP on the server")
	case strings.HasPrefix(lower, "lpc:"):
		return "", fault(key, "shared memory cannot be used; give host,port and enable TCP/IP on the server")
	case strings.HasPrefix(lower, "admin:"):
		return "", fault(key, "the dedicated administrator connection is not for reading data; leave out admin:")
	case strings.HasPrefix(lower, "(localdb)"):
		return "", fault(key, "LocalDB is not reachable over a network")
	}
	return text, nil
}

// cutPort cuts ",port" or ":port" from the end of text. An IPv6 address may be in brackets.
func cutPort(text string, sep byte) (host, port string) {
	from := strings.LastIndexByte(text, ']') + 1
	i := strings.IndexByte(text[from:], sep)
	if i < 0 {
		return strings.TrimSpace(text), ""
	}
	port = strings.TrimSpace(text[from+i+1:])
	if port == "" {
		port = "?" // "host," is an unfinished port, not none
	}
	return strings.TrimSpace(text[:from+i]), port
}

// vetHost accepts what can be a DNS name or is an IP address, which it returns in its canonical form.
func vetHost(key, host string, local bool) (string, error) {
	bare := host
	if strings.HasPrefix(bare, "[") && strings.HasSuffix(bare, "]") {
		bare = bare[1 : len(bare)-1]
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		if addr.Zone() != "" && !local {
			return "", fault(key, "an address with a zone has a meaning on one machine only")
		}
		return addr.String(), nil
	}
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > 253 {
		return "", fault(key, "no server is named")
	}
	for _, label := range strings.Split(name, ".") {
		if label == "" || len(label) > 63 {
			return "", fault(key, "it is no host name")
		}
		for _, r := range label {
			if !isASCIIAlnum(r) && r != '-' && r != '_' {
				return "", fault(key, "a host name is made of letters, digits, - and _ ; one with others is written in its xn-- form")
			}
		}
	}
	return strings.ToLower(host), nil
}

// vetInstance returns an instance's name, or "" for that of the default instance.
func vetInstance(key, instance string) (string, error) {
	instance = strings.TrimSpace(instance)
	if strings.EqualFold(instance, "MSSQLSERVER") {
		return "", nil
	}
	n := 0
	for _, r := range instance {
		if n++; n > 16 || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_$#", r) {
			return "", fault(key, "an instance's name has at most 16 letters, digits, _ , $ or #")
		}
	}
	if n == 0 {
		return "", fault(key, `the instance's name after \ is missing`)
	}
	return instance, nil
}

func vetPort(key, text string) (uint16, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fault(key, "a port is a number from 1 to 65535")
	}
	return uint16(port), nil
}

func isASCIIAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// isControl tells characters that have no place in a line of text: controls, and those that turn its direction or hide.
func isControl(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r >= '\u202a' && r <= '\u202e' ||
		r >= '\u2066' && r <= '\u2069' || r >= '\u200b' && r <= '\u200f'
}
