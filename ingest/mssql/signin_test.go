package mssql_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

func TestEntraBelievesNoServer(t *testing.T) {
	t.Parallel()
	const spn = "https://database.windows.net/"
	for _, c := range []struct{ spn, sts, host, tenant string }{
		{spn, "https://login.windows.net/11-22", "https://login.microsoftonline.com/", "11-22"},
		{spn, "https://login.microsoftonline.com/x.example/", "https://login.microsoftonline.com/", "x.example"},
		{"https://database.windows.net", "https://LOGIN.windows.net/11-22/oauth2", "https://login.microsoftonline.com/", "11-22"},
		{"https://database.usgovcloudapi.net/", "https://login.microsoftonline.us/1", "https://login.microsoftonline.us/", "1"},
		{"https://graph.microsoft.com/", "https://login.windows.net/11-22", "", ""},
		{"https://management.azure.com/", "https://login.windows.net/11-22", "", ""},
		{"https://database.windows.net.evil.example/", "https://login.windows.net/11-22", "", ""},
		{"", "https://login.windows.net/11-22", "", ""},
		{spn, "https://login.windows.net.evil.example/11-22", "", ""},
		{spn, "https://evil.example/11-22", "", ""},
		{spn, "http://login.windows.net/11-22", "", ""},
		{spn, "https://login.windows.net:8443/11-22", "", ""},
		{spn, "https://login.windows.net@evil.example/11-22", "", ""},
		{spn, "https://a@login.windows.net/11-22", "", ""},
		{spn, "https://login.windows.net/", "", ""},
		{spn, "https://login.windows.net/..%2f..", "", ""},
		{spn, "", "", ""},
		{spn, "::", "", ""},
	} {
		scope, host, tenant, err := mssql.VetEntra(c.spn, c.sts)
		if c.host == "" {
			if err == nil {
				t.Errorf("%s %s: taken as %s at %s", c.spn, c.sts, scope, host)
			}
			continue
		}
		if err != nil || host != c.host || tenant != c.tenant || !strings.HasSuffix(scope, ".net//.default") {
			t.Errorf("%s %s: %s, %s, %s, %v", c.spn, c.sts, scope, host, tenant, err)
		}
	}
}

func TestEntraTransportGoesToMicrosoftUnderThePolicy(t *testing.T) {
	t.Parallel()
	n := &names{known: map[string][]string{"login.microsoftonline.com": {"127.0.0.1"}, "adfs.example": {"127.0.0.1"}}}
	transport := mssql.Entra(mssql.Policy{}, n)
	do := func(url string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for _, url := range []string{"https://adfs.example/x", "http://login.microsoftonline.com/x", "https://login.microsoftonline.com:444/x", "http://169.254.169.254/x"} {
		if err := do(url); err == nil || !strings.Contains(err.Error(), "organisation's own") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if n.asked.Load() != 0 {
		t.Error("a name was resolved for a host that is not Microsoft's")
	}
	if err := do("https://login.microsoftonline.com/x"); ingest.KindOf(mssql.Translate(err, nil)) != ingest.Denied {
		t.Errorf("a sign-in host at a forbidden address: %v", err)
	}
}

// TestEntraAgainstAServer signs in to servers that name, in their part of the sign-in, where a token is had and for what.
func TestEntraAgainstAServer(t *testing.T) {
	t.Parallel()
	secure, ca := certificate(t, nil)
	for name, c := range map[string]struct{ sts, spn, text string }{
		"a token for another service": {"https://login.windows.net/11-22", "https://graph.microsoft.com/", "not for SQL Server"},
		"a page of its own":           {"https://evil.example/11-22", "https://database.windows.net/", "not Microsoft's"},
		"inward":                      {"https://login.windows.net/11-22", "https://database.windows.net/", "address"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withFed := message([]byte{1, 0, 11, 0, 1, 6, 0, 12, 0, 1, 0xff}, []byte{1, 1})
			f := startFake(t, "127.0.0.2", secure, withFed, message(fedAuthInfo(c.sts, c.spn)))
			n := &names{known: map[string][]string{
				"db.example": {"127.0.0.2"}, "evil.example": {"127.0.0.2"}, "login.microsoftonline.com": {"10.0.0.1"},
			}}
			cfg := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2"), RootCAs: ca}
			for _, how := range []string{"ActiveDirectoryServicePrincipal;User Id=11-22", "ActiveDirectoryPassword;User Id=joe@x.example"} {
				err := connect(t, cfg, "Server=db.example,%p;Database=shop;Password=s3cr3t-w0rd;Encrypt=Strict;Authentication="+how, f.addr.Port())
				if ingest.KindOf(err) != ingest.Denied || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "s3cr3t") {
					t.Errorf("%s: %v, %v", how, ingest.KindOf(err), err)
				}
			}
		})
	}
}

func TestKerberosServersAreGivenAsAddresses(t *testing.T) {
	t.Parallel()
	got, err := mssql.KDCConfig("CORP.EXAMPLE", []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:88")})
	if err != nil || got != "192.0.2.1:88" {
		t.Errorf("%s, %v", got, err)
	}
	got, err = mssql.KDCConfig("CORP.EXAMPLE", []netip.AddrPort{netip.MustParseAddrPort("[2001:db8::1]:88")})
	if err != nil || got != "[2001:db8::1]:88" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := mssql.KDCConfig("CORP.EXAMPLE", nil); err == nil {
		t.Error("a realm without servers is looked for elsewhere")
	}
}
