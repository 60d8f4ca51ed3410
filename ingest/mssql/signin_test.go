package mssql_test

import (
	"bytes"
	"net"
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

func TestNTLMSendsNoPassword(t *testing.T) {
	t.Parallel()
	// The driver alone would fall back to sending the password if Windows sign-in could not be set up.
	n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}}}
	cfg := mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")}
	for keys, ntlm := range map[string]bool{
		`User Id=CORP\joe`: true, `User Id=joe;Integrated Security=SSPI`: true, `User Id=joe@corp.example;Trusted_Connection=Yes`: true, `User Id=joe`: false,
	} {
		f := startFake(t, "127.0.0.2", nil, prelogin(2), message(serverError(18456, 14, "no"), done(2)))
		err := connect(t, cfg, "Server=db.example,%p;Database=shop;Password=s3cr3t-w0rd;Encrypt=False;"+keys, f.addr.Port())
		if ingest.KindOf(err) != ingest.Denied {
			t.Errorf("%s: %v", keys, err)
		}
		<-f.messages
		login := <-f.messages
		var scrambled []byte // as LOGIN7 has a password: nibbles swapped, then XOR 0xA5
		for _, b := range ucs2("s3cr3t-w0rd") {
			scrambled = append(scrambled, (b<<4|b>>4)^0xa5)
		}
		if got := bytes.Contains(login, []byte("NTLMSSP")); got != ntlm {
			t.Errorf("%s: NTLM is %v", keys, got)
		}
		if got := bytes.Contains(login, scrambled); got == ntlm {
			t.Errorf("%s: the password is sent: %v", keys, got)
		}
	}
}

func TestKerberosUnderThePolicy(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	called := make(chan struct{}, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			called <- struct{}{}
			_ = conn.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for kdc, want := range map[string]string{"127.0.0.2": "Kerberos server", "127.0.0.1": "loopback"} {
		f := startFake(t, "127.0.0.2", nil, prelogin(2), nil)
		n := &names{known: map[string][]string{"db.example": {"127.0.0.2"}, "kdc.example.": {kdc}, "kdc-port": {port}}}
		err := connect(t, mssql.Config{Resolver: n, Policy: allow(t, "127.0.0.2")},
			"Server=db.example,%p;Database=shop;User Id=joe;Password=s3cr3t-w0rd;realm=corp.example;Encrypt=False", f.addr.Port())
		if ingest.KindOf(err) != ingest.Denied || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", kdc, err)
		}
	}
	if len(called) == 0 {
		t.Error("the Kerberos server at an allowed address was not asked")
	}
}
