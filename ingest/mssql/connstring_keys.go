package mssql

import (
	"strconv"
	"strings"
	"sync"

	"dropline/schema"
)

// field is one thing that a connection string can say, whatever it calls it.
type field uint8

const (
	fieldNone field = iota // accepted, and of no consequence here
	fieldServer
	fieldHost
	fieldPort
	fieldInstance
	fieldFailover
	fieldFailoverPort
	fieldDatabase
	fieldUser
	fieldPassword
	fieldIntegrated
	fieldAuthentication
	fieldScheme
	fieldDomain
	fieldRealm
	fieldSPN
	fieldToken
	fieldClient
	fieldEncrypt
	fieldTrust
	fieldHostInCert
	fieldCertFile
	fieldCAFile
	fieldTLSMin
	fieldTimeout
	fieldMultiSubnet
	fieldPacketSize
	fieldWorkstation
	fieldIntent
	fieldProtocol
	fieldLibrary
	fieldColumnEncryption
	fieldMustBeOff // a switch that only its off position is accepted of
	fieldKrb5
	fieldRefused
)

// rule is what becomes of a key.
type rule struct {
	field  field
	reason string // of a refusal, or of a switch's on position
	local  bool   // accepted at the client's own site only
}

// given is what a string says of one field: under which key, and the value.
type given struct {
	key   string
	value string
}

// normal is a key in lower case without spaces and underscores, as rules are named.
func normal(key string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '_' {
			return -1
		}
		return r
	}, strings.ToLower(key))
}

// rules are the key groups, by key. The map is made once and only read.
var rules = sync.OnceValue(func() map[string]rule {
	byKey := map[string]rule{}
	for _, g := range keyGroups() {
		for key := range strings.FieldsSeq(g.keys) {
			byKey[key] = g.rule
		}
	}
	return byKey
})

// ruleOf returns the rule of a key.
func ruleOf(key string) (rule, bool) {
	r, known := rules()[normal(key)]
	return r, known
}

func hasField(pairs []pair, f field) bool {
	for _, p := range pairs {
		if r, known := ruleOf(p.key); known && r.field == f {
			return true
		}
	}
	return false
}

// sortKeys gathers the pairs by field. The last of several that mean the same counts; an empty value takes back what was
// said before it, as in ADO.NET.
func sortKeys(pairs []pair, local bool) (map[field]given, error) {
	said := map[field]given{}
	krb5 := map[string]given{}
	for _, p := range pairs {
		r, known := ruleOf(p.key)
		if !known {
			return nil, unknown(p.key)
		}
		key := safeKey(p.key)
		switch {
		case r.field == fieldRefused:
			return nil, fault(key, r.reason)
		case r.local && !local && p.value != "":
			return nil, fault(key, r.reason)
		case r.field == fieldMustBeOff:
			if on, err := parseBool(key, p.value); p.value != "" && (err != nil || on) {
				return nil, fault(key, r.reason)
			}
		case r.field == fieldKrb5:
			krb5[normal(p.key)] = given{key, p.value}
		case r.field == fieldNone:
		case p.value == "":
			delete(said, r.field)
		default:
			said[r.field] = given{key, p.value}
		}
	}
	for name, g := range krb5 {
		said[fieldKrb5] = given{"", said[fieldKrb5].value + name + "\n" + g.value + "\n"}
	}
	return said, nil
}

// unknown refuses a key, by name where that cannot be the tail of an unquoted password.
func unknown(key string) error {
	near := nearest(normal(key))
	name := safeKey(key)
	switch {
	case name == "":
		return fault("", "one of its keys is not known; put a value that has a semicolon in it into double quotes, or into braces for ODBC")
	case near != "":
		return fault(name, "this key is not known; did you mean "+strconv.Quote(near)+"?")
	}
	return fault(name, "this key is not known; leave it out, or quote the value before it if this belongs to that")
}

// safeKey returns a key as an error may name it: in lower case, and only if it looks like a key rather than like a piece of
// a password.
func safeKey(key string) string {
	if _, known := ruleOf(key); known {
		return strings.ToLower(key)
	}
	if len(key) > 40 {
		return ""
	}
	letters := 0
	for _, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			letters++
		case r != ' ' && r != '_':
			return ""
		}
	}
	if letters < 3 {
		return ""
	}
	return strings.ToLower(key)
}

// nearest returns the known key that a name is a slip of the pen away from, or "".
func nearest(name string) string {
	if len(name) < 3 || len(name) > 40 {
		return ""
	}
	best, within := "", 1+len(name)/5
	for known, r := range rules() {
		if r.field == fieldRefused {
			continue
		}
		if d := schema.EditDistance(name, known); d < within || d == within && (best == "" || known < best) {
			best, within = known, d
		}
	}
	return best
}
