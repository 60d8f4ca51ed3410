package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"dropline/api"
	"dropline/ingest"
)

// certificate returns a self-signed certificate in PEM.
func certificate(t testing.TB) string {
	t.Helper()
	c, _ := certificateAndKey(t)
	return c
}

func certificateAndKey(t testing.TB) (certPEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// manyCertificates is as much as a request may hold of them.
func manyCertificates(t testing.TB) string {
	one := certificate(t)
	return strings.Repeat(one, 32768/len(one))
}

func TestCertificateAuthorities(t *testing.T) {
	t.Parallel()
	a, key := certificateAndKey(t)
	b := certificate(t)
	for name, c := range map[string]struct{ text, want string }{
		"one":           {a, a},
		"two":           {a + b, a + b},
		"with words":    {"subject=CN = Root, password " + marker + "\n" + a + "\nsubject=CN = Other\n" + b + "\n\n", a + b},
		"CRLF":          {strings.ReplaceAll(a, "\n", "\r\n"), a},
		"headers":       {strings.Replace(a, "CERTIFICATE-----\n", "CERTIFICATE-----\nNote: "+marker+"\n\n", 1), a},
		"a key":         {key, ""},
		"a key after":   {a + key, ""},
		"a key before":  {key + a, ""},
		"half a key":    {a + key[:60], ""},
		"half":          {a + b[:len(b)/2], ""},
		"no PEM":        {"MIIB", ""},
		"blank":         {" \n", ""},
		"other block":   {a + string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte("x")})), ""},
		"no DER":        {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(marker)})), ""},
		"encrypted key": {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n", ""},
	} {
		f := newFixture(t)
		answer := f.do(http.MethodPost, "/etl/sources", f.acme, api.SourceCreate{Name: "x", ConnectionString: goodString, CertificateAuthority: c.text})
		if c.want == "" {
			if p := answer.problem(http.StatusBadRequest); p.Errors[0].Location != "body.certificateAuthority" || p.Hint == "" {
				t.Errorf("%s: %+v", name, p)
			}
			if len(f.ledger.sources) > 0 || strings.Join(f.databases.calls, "") != "" {
				t.Errorf("%s: then %v", name, f.databases.calls)
			}
			continue
		}
		answer.want(http.StatusCreated)
		s := f.ledger.sources[0]
		plain, err := f.databases.unseal(t.Context(), s.Sealed, ingest.SealedFor("acme", string(s.ID)))
		if err != nil {
			t.Fatal(err)
		}
		var secret ingest.DatabaseSecret
		if err := json.Unmarshal(plain, &secret); err != nil || secret.CertificateAuthority != c.want {
			t.Errorf("%s: kept %q, %v", name, secret.CertificateAuthority, err)
		}
	}
}

// TestNoSecretComesOut sends a password on every way on which one can come in, and looks for it wherever something comes out.
func TestNoSecretComesOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	source := f.addSource(f.acme, "Practice").ID
	good := `{"connectionString":"` + goodString + `"`
	named := `{"name":"x","connectionString":"` + goodString + `"`
	failing := []error{
		nil, &ofSource{ingest.Errorf(ingest.Denied, "mssql", "the login was refused")}, errors.New("inside"),
		ingest.Errorf(ingest.Unavailable, "x", "away"),
	}
	seen := 0
	for i, body := range []string{
		good + "}", good, good + "}}", good + `,"isolation":"` + marker + `"}`, good + `,"certificateAuthority":"` + marker + `"}`,
		good + `,"full":"` + marker + `"}`, good + `,"source":"` + marker + `"}`, `{"source":"` + marker + `"}`, `"` + goodString + `"`, goodString,
		`["` + goodString + `"]`, `{"connectionString":["` + goodString + `"]}`, `{"connectionString":"Encrypt=perhaps;Password=` + marker + `"}`,
		`{"connectionString":"Server=10.0.0.1;Password=` + marker + `"}`, `{"connectionString":"Password=` + marker + `"}`,
		good[:len(good)-1] + strings.Repeat("x", 9000) + `"}`, good[:len(good)-1] + strings.Repeat("x", 1<<20) + `"}`,
		good + `,"connectionString":"` + goodString + `"}`, good[:len(good)-1] + "\xff\"}", good[:len(good)-1] + `\u0000"}`,
		named + "}", named, named + `,"isolation":"` + marker + `"}`, `{"name":"` + strings.Repeat("n", 200) + `","connectionString":"` + goodString + `"}`,
		`{"name":{"a":"` + marker + `"},"connectionString":"` + goodString + `"}`,
	} {
		f.databases.dryRun = func(context.Context, ingest.DatabaseSecret) (*ingest.DryRun, error) {
			if err := failing[i%len(failing)]; err != nil {
				return nil, err
			}
			return aDryRun(), nil
		}
		for _, c := range []struct{ method, path string }{
			{http.MethodPost, "/etl/import"},
			{http.MethodPost, "/etl/import/dry-run"},
			{http.MethodPost, "/etl/sources"},
			{http.MethodPatch, "/etl/sources/" + source},
			{http.MethodPost, "/etl/sources/" + source + "/import"},
			{http.MethodPost, "/etl/sources/" + source + "/dry-run"},
			{http.MethodPost, "/etl/promote-to-production"},
			{http.MethodPost, "/etl/import?connectionString=" + marker},
		} {
			for _, options := range [][]string{{"Content-Type: application/json"}, {"Content-Type: text/plain"}, {"Content-Type: application/json", key("k" + itoa(i))}} {
				a := f.do(c.method, c.path, f.acme, body, options...)
				seen++
				if strings.Contains(string(a.body), marker) {
					t.Errorf("%s %s %.80s: %s", c.method, c.path, body, a.body)
				}
				for name, values := range a.header {
					if strings.Contains(strings.Join(values, " "), marker) {
						t.Errorf("%s %s: header %s", c.method, c.path, name)
					}
				}
			}
		}
	}
	f.databases.broken = errors.New("the key is away")
	f.do(http.MethodPost, "/etl/import", f.acme, good+"}").problem(http.StatusInternalServerError)
	f.databases.broken = nil
	f.ledger.broken = errors.New("the ledger is away")
	f.do(http.MethodPost, "/etl/import", f.acme, good+"}").problem(http.StatusInternalServerError)
	f.ledger.broken = nil
	for _, path := range []string{"/etl/sources", "/etl/sources/" + source, "/etl/imports", "/etl/import-status/" + string(f.ledger.imports[0].ID)} {
		if a := f.do(http.MethodGet, path, f.acme, nil).want(http.StatusOK); strings.Contains(string(a.body), marker) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	if len(f.ledger.imports) == 0 || len(f.ledger.keys) == 0 || seen < 500 {
		t.Fatalf("%d imports, %d keys, %d answers: nothing was tried", len(f.ledger.imports), len(f.ledger.keys), seen)
	}
	for name, k := range f.ledger.keys {
		if k.response != nil && strings.Contains(string(k.response.Body), marker) {
			t.Errorf("the answer stored for %s has it", name)
		}
	}
	for i := range f.ledger.imports {
		text, err := json.Marshal(f.ledger.imports[i])
		if err != nil || strings.Contains(string(text), marker) {
			t.Errorf("the ledger has it: %s, %v", text, err)
		}
	}
	if at := strings.Index(f.log.String(), marker); at >= 0 {
		t.Errorf("the log has it: …%s…", f.log.String()[max(at-200, 0):at+40])
	}
}
