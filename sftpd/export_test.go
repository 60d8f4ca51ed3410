package sftpd

import (
	"net"
	"net/netip"
	"time"
)

// SplitWords is splitWords.
var SplitWords = splitWords

// AddressOf is addressOf.
func AddressOf(a net.Addr) netip.Prefix { return addressOf(a) }

// Bans is bans, to see what it keeps.
type Bans struct{ *bans }

// NewBans returns bans with the limits of cfg.
func NewBans(cfg Config) Bans { return Bans{newBans(&cfg)} }

// Banned, Failed, Delay and Succeeded are the methods of bans.
func (b Bans) Banned(a netip.Prefix) bool                      { return b.banned(a) }
func (b Bans) Failed(a netip.Prefix, user string) bool         { return b.failed(a, user) }
func (b Bans) Delay(a netip.Prefix, user string) time.Duration { return b.delay(a, user) }
func (b Bans) Succeeded(a netip.Prefix, user string)           { b.succeeded(a, user) }

// Kept is how many addresses, users and pairs of both are remembered.
func (b Bans) Kept() (addresses, users, known int) {
	return len(b.addresses), len(b.users), len(b.known)
}

// MaxRemembered is maxRemembered.
const MaxRemembered = maxRemembered
