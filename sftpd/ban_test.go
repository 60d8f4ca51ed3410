package sftpd_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"dropline/sftpd"
)

func TestBans(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	b := sftpd.NewBans(sftpd.Config{BanAfter: 3, BanWindow: time.Minute, BanTime: time.Hour, Clock: func() time.Time { return now }})
	a, c := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	for range 20 { // too slow to be guessing
		if now = now.Add(40 * time.Second); b.Failed(a, "acme") {
			t.Fatal("banned for slow failures")
		}
	}
	b.Succeeded(a, "acme")
	if now = now.Add(time.Hour); b.Failed(a, "acme") || b.Banned(a) {
		t.Error("banned at the first failure")
	}
	b.Failed(a, "acme")
	if !b.Failed(a, "acme") || !b.Banned(a) || b.Banned(c) {
		t.Error("not banned at the third failure, or with a stranger")
	}
	if b.Delay(c, "acme") == 0 || b.Delay(a, "acme") != 0 || b.Delay(c, "globex") != 0 {
		t.Error("the wrong attempts wait")
	}
	if now = now.Add(time.Hour + time.Second); b.Banned(a) || b.Delay(c, "acme") != 0 {
		t.Error("banned for ever")
	}
}

func TestBansForget(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	b := sftpd.NewBans(sftpd.Config{BanAfter: 3, BanWindow: time.Minute, BanTime: time.Hour, Clock: func() time.Time { return now }})
	for i := range 3 * sftpd.MaxRemembered {
		now = now.Add(time.Millisecond)
		a := netip.PrefixFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(i)))), 32)
		b.Failed(a, fmt.Sprint(i))
		b.Succeeded(a, fmt.Sprint(i))
		b.Failed(a, fmt.Sprint(i))
	}
	if a, u, k := b.Kept(); a > sftpd.MaxRemembered || u > sftpd.MaxRemembered || k > sftpd.MaxRemembered || a == 0 {
		t.Errorf("%d addresses, %d users, %d pairs", a, u, k)
	}
}

func TestOneHostIsOneAddress(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"192.0.2.7:1234":           "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1":     "192.0.2.7/32",
		"[2001:db8:1:2:3:4:5:6]:2": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:22":        "fe80::/64",
	} {
		if got := sftpd.AddressOf(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))); got.String() != want {
			t.Errorf("%s: %s, want %s", from, got, want)
		}
	}
}
