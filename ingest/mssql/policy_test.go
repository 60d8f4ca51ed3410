package mssql_test

import (
	"net/netip"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

func TestPolicyCheck(t *testing.T) {
	t.Parallel()
	for addr, kind := range map[string]string{
		"8.8.8.8": "", "1.1.1.1": "", "20.50.1.1": "", "172.15.255.255": "", "172.32.0.0": "", "100.63.255.255": "", "100.128.0.0": "",
		"2606:4700::1111": "", "2a01:4f8::1": "", "64:ff9b::808:808": "", "2002:808:808::1": "", "::ffff:8.8.8.8": "",
		"2001:0:808:808:0:0:f7f7:f7f7": "", // Teredo of 8.8.8.8
		"127.0.0.1":                    "loopback", "127.255.255.254": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
		"0.0.0.0": "unspecified", "0.1.2.3": "unspecified", "::": "reserved|unspecified",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "fd12::1": "private", "fc00::1": "private", "fec0::1": "private",
		"169.254.1.1": "link-local", "fe80::1": "link-local", "fe80::1%eth0": "link-local",
		"169.254.169.254": "metadata", "169.254.170.2": "metadata", "168.63.129.16": "metadata", "100.100.100.200": "metadata", "192.0.0.192": "metadata",
		"fd00:ec2::254": "metadata", "fd20:ce::254": "metadata", "::ffff:169.254.169.254": "metadata",
		"100.64.0.1": "carrier", "100.127.255.255": "carrier",
		"224.0.0.1": "multicast", "239.255.255.255": "multicast", "255.255.255.255": "broadcast", "ff02::1": "multicast", "240.0.0.1": "reserved",
		"192.0.0.1": "reserved", "192.0.2.1": "documentation", "198.51.100.1": "documentation", "203.0.113.1": "documentation", "2001:db8::1": "documentation", "3fff::1": "documentation",
		"198.18.0.1": "benchmark", "198.19.255.255": "benchmark", "2001:2::1": "benchmark",
		"192.88.99.1": "translation", "64:ff9b:1::1": "translation", "100::1": "reserved",
		"::10.0.0.1": "private", "64:ff9b::a00:1": "private", "64:ff9b::7f00:1": "loopback", "64:ff9b::a9fe:a9fe": "metadata",
		"2002:a00:1::1": "private", "2002:7f00:1::": "loopback", "2001:0:808:808::f5ff:fffe": "private",
		"::ffff:0:127.0.0.1": "reserved", "::ffff:0:8.8.8.8": "reserved", "1::1": "reserved", "4000::1": "reserved", "64:ff9b:0:1::1": "reserved",
		"2a01:4f8::5efe:10.0.0.1": "private", "2a01:4f8::200:5efe:127.0.0.1": "loopback",
	} {
		err := mssql.Policy{}.Check(netip.MustParseAddr(addr))
		if kind == "" {
			if err != nil {
				t.Errorf("%s: %v", addr, err)
			}
			continue
		}
		if ingest.KindOf(err) != ingest.Denied || !strings.Contains(ingest.HintOf(err), "mssql.allow_networks") {
			t.Errorf("%s: %v, kind %v, hint %q", addr, err, ingest.KindOf(err), ingest.HintOf(err))
			continue
		}
		found := false
		for k := range strings.SplitSeq(kind, "|") {
			found = found || strings.Contains(ingest.MessageOf(err), k)
		}
		if !found {
			t.Errorf("%s: %v, want %s", addr, err, kind)
		}
	}
	if err := (mssql.Policy{}).Check(netip.Addr{}); ingest.KindOf(err) != ingest.Denied {
		t.Errorf("no address: %v", err)
	}
	if err := (mssql.Policy{Local: true}).Check(netip.MustParseAddr("127.0.0.1")); err != nil {
		t.Errorf("local: %v", err)
	}
}

func TestPolicyRefusesTheServicesOwnAddresses(t *testing.T) {
	t.Parallel()
	own := []netip.Addr{netip.MustParseAddr("20.1.2.3"), netip.MustParseAddr("2a01:4f8::7"), netip.MustParseAddr("fe80::1%eth0")}
	for addr, ok := range map[string]bool{
		"20.1.2.3": false, "::ffff:20.1.2.3": false, "64:ff9b::20.1.2.3": false, "2002:1401:203::1": false, "2a01:4f8::7": false,
		"20.1.2.4": true, "2a01:4f8::8": true,
	} {
		err := mssql.Policy{Own: own}.Check(netip.MustParseAddr(addr))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "this service itself") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	allowed := mssql.Policy{Own: own, Allow: allow(t, "20.1.2.3").Allow}
	if err := allowed.Check(own[0]); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if err := (mssql.Policy{Own: own, Local: true}).Check(own[0]); err != nil {
		t.Errorf("at the client's: %v", err)
	}
}

func TestPolicyAllows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, addr string
		ok         bool
	}{
		{"10.1.0.0/16", "10.1.2.3", true},
		{"10.1.0.0/16", "10.2.0.1", false},
		{"10.1.0.0/16", "::ffff:10.1.2.3", true},
		{"10.1.0.0/16", "64:ff9b::a01:203", true},
		{"10.1.0.0/16", "64:ff9b::a02:1", false},
		{"::ffff:10.1.0.0/112", "10.1.2.3", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.2", false},
		{"fd12::/16, 192.168.0.0/24 10.0.0.1", "192.168.0.9", true},
		{"fd12::/16, 192.168.0.0/24 10.0.0.1", "fd12::9", true},
		{"169.254.0.0/16", "169.254.1.1", true},
		{"169.254.0.0/16", "169.254.169.254", false}, // only by itself
		{"0.0.0.0/0 ::/0", "100.100.100.200", false},
		{"0.0.0.0/0 ::/0", "fd00:ec2::254", false},
		{"169.254.169.254", "169.254.169.254", true},
		{"", "10.0.0.1", false},
	} {
		if err := allow(t, c.list).Check(netip.MustParseAddr(c.addr)); (err == nil) != c.ok {
			t.Errorf("%q, %s: %v", c.list, c.addr, err)
		}
	}
	for _, list := range []string{"10.0.0.0/33", "db.example", "10.0.0.1/16", "fe80::1%eth0", "10.0.0.0-10.0.0.9"} {
		if _, err := mssql.ParsePolicy(list); ingest.KindOf(err) != ingest.Invalid {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestCheckServer(t *testing.T) {
	t.Parallel()
	for server, ok := range map[string]bool{
		"db.example": true, "8.8.8.8": true, "10.0.0.1": false, "localhost": false, ".": false, "localhost.": false, "a.localhost": false,
		"[::1]": false, "::ffff:127.0.0.1": false, "db;Failover Partner=10.0.0.1": false, "169.254.169.254,80": false,
	} {
		conn, err := mssql.Parse("Server="+server+";Database=shop;User Id=joe;Password=pw", false)
		if err != nil {
			t.Fatal(err)
		}
		if err := (mssql.Policy{}).CheckServer(conn); (err == nil) != ok {
			t.Errorf("%s: %v", server, err)
		}
	}
	if err := (mssql.Policy{}).CheckServer(nil); err == nil {
		t.Error("no connection is no error")
	}
}

func TestControlChecksTheSocketsAddress(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"8.8.8.8:1433": true, "127.0.0.1:1433": false, "[::1]:1433": false, "[fe80::1%1]:1434": false, "[::ffff:10.0.0.1]:1433": false, "db.example:1433": false, "": false,
	} {
		if err := (mssql.Policy{}).Control(address); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}
