package mssql

import (
	"net/url"
	"sort"
	"strings"
)

// splitURL reads sqlserver://user:password@host:port/instance?key=value, and mssql:// alike. With mssql:// and no database
// among the keys, the path is the database, as those who write it mean.
func splitURL(text string) ([]pair, error) {
	u, err := url.Parse(text)
	if err != nil { // its text repeats the URL, password and all
		return nil, fault("", "it is no proper URL; in user and password, write : / ? # [ ] @ % as %3A %2F %3F %23 %5B %5D %40 %25")
	}
	if u.Scheme != "sqlserver" && u.Scheme != "mssql" {
		return nil, fault("", "a URL must begin with sqlserver://")
	}
	if u.Fragment != "" || strings.Contains(text, "#") {
		return nil, fault("", "it has a # in it; write %23 where it belongs to a value")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fault("", "what follows the ? is not key=value&key=value, or has a % that is not of a percent-encoding")
	}
	if len(query) > 200 {
		return nil, fault("", "it has more than 200 keys")
	}
	pairs, err := queryPairs(query)
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		pairs = append(pairs, pair{"user id", u.User.Username()})
		if password, given := u.User.Password(); given {
			pairs = append(pairs, pair{"password", password})
		}
	}
	if host := u.Hostname(); host != "" {
		pairs = append(pairs, pair{"server", host})
	}
	if port := u.Port(); port != "" {
		pairs = append(pairs, pair{"port", port})
	}
	path := strings.Trim(u.Path, "/")
	switch {
	case path == "":
	case u.Scheme == "mssql" && !hasField(pairs, fieldDatabase):
		pairs = append(pairs, pair{"database", path})
	default:
		pairs = append(pairs, pair{"instance", path})
	}
	return pairs, vetDecoded(pairs)
}

// queryPairs returns a query's keys in their order, none of them twice: there is no saying which one would count.
func queryPairs(query url.Values) ([]pair, error) {
	var pairs []pair
	seen := map[string]bool{}
	for key, values := range query {
		if name := normal(key); len(values) > 1 || seen[name] {
			return nil, fault(safeKey(key), "it is there more than once")
		}
		seen[normal(key)] = true
		pairs = append(pairs, pair{key, values[0]})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i].key < pairs[j].key })
	return pairs, nil
}

// vetDecoded refuses what percent-encoding has smuggled past vetText.
func vetDecoded(pairs []pair) error {
	for _, p := range pairs {
		if vetText(p.key) != nil {
			return fault("", "a key has a percent-encoded control character in it")
		}
		if vetText(p.value) != nil {
			return fault(safeKey(p.key), "it has a percent-encoded control character in it")
		}
	}
	return nil
}

// splitJDBC reads sqlserver://host\instance:port;key=value, values perhaps in braces.
func splitJDBC(text string) ([]pair, error) {
	const scheme = "sqlserver://"
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return nil, fault("", "of JDBC's, only jdbc:sqlserver:// can be read")
	}
	server, rest, _ := strings.Cut(text[len(scheme):], ";")
	pairs, err := splitBraced(rest)
	if err != nil {
		return nil, err
	}
	if server = strings.TrimSpace(server); server == "" {
		return pairs, nil
	}
	// What stands before the keys is but a default of them.
	host, port := cutPort(server, ':')
	head := []pair{{"servername", host}}
	if port != "" {
		head = append(head, pair{"portnumber", port})
	}
	return append(head, pairs...), nil
}
