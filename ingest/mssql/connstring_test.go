package mssql_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

const base = "Server=db.example.com;Database=shop;User Id=joe;Password=pw;"

func TestParseADO(t *testing.T) {
	t.Parallel()
	const rest = " db=shop user=joe password=pw"
	for text, want := range map[string]string{
		base: "host=db.example.com" + rest,
		"server=tcp:db.example.com,1444;initial catalog=shop;uid=joe;pwd=pw": "host=db.example.com port=1444" + rest,
		"Data Source=db;Database=shop;User=joe;Password=pw":                  "host=db" + rest,
		"Address=db;Database=shop;User ID=joe;Password=pw":                   "host=db" + rest,
		"Addr=db;Database=shop;User ID=joe;Password=pw":                      "host=db" + rest,
		"Network Address=db;Database=shop;User ID=joe;Password=pw":           "host=db" + rest,
		"  Server = db ; Database = shop ; User Id = joe ; Password = pw ; ": "host=db" + rest,
		";;Server=db;;Database=shop;User Id=joe;Password=pw;;":               "host=db" + rest,
		`Server=db\SQL2019;Database=shop;UID=joe;PWD=pw`:                     "host=db instance=SQL2019" + rest,
		`Server=db\SQL2019,1500;Database=shop;UID=joe;PWD=pw`:                "host=db instance=SQL2019 port=1500" + rest,
		`Server=db\MSSQLSERVER;Database=shop;UID=joe;PWD=pw`:                 "host=db" + rest,
		`Server=.\SQLEXPRESS;Database=shop;UID=joe;PWD=pw`:                   "host=localhost instance=SQLEXPRESS" + rest,
		"Server=.;Database=shop;UID=joe;PWD=pw":                              "host=localhost" + rest,
		"Server=(local);Database=shop;UID=joe;PWD=pw":                        "host=localhost" + rest,
		"Server=db:1500;Database=shop;UID=joe;PWD=pw":                        "host=db port=1500" + rest,
		"Server=2001:DB8::1,1500;Database=shop;UID=joe;PWD=pw":               "host=2001:db8::1 port=1500" + rest,
		"Server=[2001:db8::1];Database=shop;UID=joe;PWD=pw":                  "host=2001:db8::1" + rest,
		"Server=10.0.0.1 , 1500;Database=shop;UID=joe;PWD=pw":                "host=10.0.0.1 port=1500" + rest,
		"Server=db;Port=1500;Database=shop;UID=joe;PWD=pw":                   "host=db port=1500" + rest,
		`Server=db;Database=shop;UID=joe;PWD="p;w"`:                          "host=db db=shop user=joe password=p;w",
		`Server=db;Database=shop;UID=joe;PWD='p;w'`:                          "host=db db=shop user=joe password=p;w",
		`Server=db;Database=shop;UID=joe;PWD="p""w"`:                         `host=db db=shop user=joe password=p"w`,
		`Server=db;Database=shop;UID=joe;PWD='p''w'`:                         `host=db db=shop user=joe password=p'w`,
		`Server=db;Database=shop;UID=joe;PWD="p'w"`:                          `host=db db=shop user=joe password=p'w`,
		`Server=db;Database=shop;UID=joe;PWD=p"w'x`:                          `host=db db=shop user=joe password=p"w'x`,
		`Server=db;Database=shop;UID=joe;PWD=p=w==`:                          `host=db db=shop user=joe password=p=w==`,
		`Server=db;Database=shop;UID=joe;PWD={pw}`:                           `host=db db=shop user=joe password={pw}`,
		`Server=db;Database=shop;UID=joe;PWD="a;driver={x};b"`:               `host=db db=shop user=joe password=a;driver={x};b`,
		`Server=db;Database=shop;UID=joe;PWD=" pw "`:                         `host=db db=shop user=joe password= pw `,
		base + "Password=last":                                               "host=db.example.com db=shop user=joe password=last",
		base + "PWD=last;UID=jane":                                           "host=db.example.com db=shop user=jane password=last",
		base + "Encrypt=True":                                                "host=db.example.com" + rest,
		base + "Encrypt=Mandatory":                                           "host=db.example.com" + rest,
		base + "Encrypt=yes":                                                 "host=db.example.com" + rest,
		base + "Encrypt=false":                                               "host=db.example.com" + rest + " encrypt=sign-in",
		base + "Encrypt=Optional":                                            "host=db.example.com" + rest + " encrypt=sign-in",
		base + "Encrypt=Strict;Trust Server Certificate=true":                "host=db.example.com" + rest + " encrypt=strict",
		base + "TrustServerCertificate=True":                                 "host=db.example.com" + rest + " trust=true",
		base + "Encrypt=False;Encrypt=":                                      "host=db.example.com" + rest,
		base + "HostNameInCertificate=*.example.com":                         "host=db.example.com" + rest + " hostInCert=x.example.com",
		base + "Host Name In Certificate=sql.local":                          "host=db.example.com" + rest + " hostInCert=sql.local",
		base + "Connect Timeout=30":                                          "host=db.example.com" + rest + " timeout=30s",
		base + "Connection Timeout=900":                                      "host=db.example.com" + rest + " timeout=1m0s",
		base + "Timeout=0":                                                   "host=db.example.com" + rest + " timeout=1m0s",
		base + "MultiSubnetFailover=Yes":                                     "host=db.example.com" + rest + " multiSubnet=true",
		base + "Packet Size=4096":                                            "host=db.example.com" + rest + " packet=4096",
		base + "Workstation ID=pc1":                                          "host=db.example.com" + rest + " workstation=pc1",
		base + "Failover Partner=db2,1500":                                   "host=db.example.com" + rest + " failover=db2 failoverPort=1500",
		base + "ApplicationIntent=ReadWrite":                                 "host=db.example.com" + rest,
		base + "Application Intent=ReadOnly":                                 "host=db.example.com" + rest,
		base + "Network Library=DBMSSOCN":                                    "host=db.example.com" + rest,
		base + "tlsmin=1.0":                                                  "host=db.example.com" + rest + " tlsMin=769",
		base + "User Instance=False;Context Connection=False":                "host=db.example.com" + rest,
		base + "Column Encryption Setting=Disabled":                          "host=db.example.com" + rest,
		base + "Integrated Security=False":                                   "host=db.example.com" + rest,
		base + "Persist Security Info=True;Pooling=False;Max Pool Size=5;MultipleActiveResultSets=True;Application Name=x;Enlist=False": "host=db.example.com" + rest,
		"Provider=MSOLEDBSQL19;Use Encryption for Data=Optional;" + base:                                                                "host=db.example.com" + rest + " encrypt=sign-in",
	} {
		conn, err := mssql.Parse(text, false)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := mssql.Described(conn); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestParseOtherForms(t *testing.T) {
	t.Parallel()
	const rest = " db=shop user=joe password=pw"
	for text, want := range map[string]string{
		"Driver={ODBC Driver 18 for SQL Server};Server=tcp:db,1500;Database=shop;Uid=joe;Pwd={p}}w;};Encrypt=yes;TrustServerCertificate=no;Connection Timeout=30;": "host=db port=1500 db=shop user=joe password=p}w; timeout=30s",
		"DRIVER=SQL Server;SERVER=db;DATABASE=shop;UID=joe;PWD='pw'":                                "host=db db=shop user=joe password='pw'",
		"Driver={x};Server=db;Database=shop;Uid=joe;Pwd=pw;Pwd=second;Trusted_Connection=no":        "host=db" + rest,
		`odbc:server=db\inst;database=shop;user id=joe;password={pw}`:                               "host=db instance=inst" + rest,
		"Driver={x};Server=db;Database=shop;Uid=joe;Pwd={a\"b;c'd}":                                 `host=db db=shop user=joe password=a"b;c'd`,
		"Driver={FreeTDS};Server=db;Port=1500;Database=shop;Uid=joe;Pwd=pw;MARS_Connection=yes":     "host=db port=1500" + rest,
		"sqlserver://joe:pw@db:1500?database=shop":                                                  "host=db port=1500" + rest,
		"sqlserver://joe:pw@db/inst?database=shop&encrypt=disable":                                  "host=db instance=inst" + rest + " encrypt=never",
		"SQLSERVER://joe:pw@db?Database=shop":                                                       "host=db" + rest,
		"sqlserver://joe:p%40w%3A%2F%3B%23%25@db?database=shop":                                     "host=db db=shop user=joe password=p@w:/;#%",
		"sqlserver://joe:p@w@db?database=shop":                                                      "host=db db=shop user=joe password=p@w",
		"sqlserver://db?database=shop&user+id=joe&password=p%26w&app+name=x":                        "host=db db=shop user=joe password=p&w",
		"sqlserver://joe:pw@[2001:db8::1]:1500?database=shop":                                       "host=2001:db8::1 port=1500" + rest,
		"mssql://joe:pw@db:1500/shop":                                                               "host=db port=1500" + rest,
		"mssql://joe:pw@db/inst?database=shop":                                                      "host=db instance=inst" + rest,
		`sqlserver://corp%5Cjoe:pw@db?database=shop`:                                                `host=db db=shop how=ntlm user=corp\joe password=pw`,
		"jdbc:sqlserver://db:1500;databaseName=shop;user=joe;password=pw;encrypt=true":              "host=db port=1500" + rest,
		`jdbc:sqlserver://db\inst;database=shop;userName=joe;password={p;}}w};loginTimeout=20`:      "host=db instance=inst db=shop user=joe password=p;}w timeout=20s",
		"jdbc:sqlserver://;serverName=db;portNumber=1500;databaseName=shop;user=joe;password=pw":    "host=db port=1500" + rest,
		"jdbc:sqlserver://db;instanceName=inst;databaseName=shop;user=joe;password=pw;domain=corp":  `host=db instance=inst db=shop how=ntlm user=corp\joe password=pw`,
		"sqlserver://db:1500;database=shop;user=joe;password=p@w;trustServerCertificate=true":       "host=db port=1500 db=shop user=joe password=p@w trust=true",
		"jdbc:sqlserver://[2001:db8::1]:1500;databaseName=shop;user=joe;password=pw;selectMethod=x": "host=2001:db8::1 port=1500" + rest,
	} {
		conn, err := mssql.Parse(text, false)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := mssql.Described(conn); got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestParseSignIn(t *testing.T) {
	t.Parallel()
	const ado = "Server=db;Database=shop;"
	const app = "2fd908ad-0664-4344-b9be-cd3e8b574c38"
	for _, c := range []struct {
		text  string
		local bool
		want  string // or, if it begins with !, the key at fault
	}{
		{ado + `User Id=CORP\joe;Password=pw`, false, `how=ntlm user=CORP\joe password=pw`},
		{ado + `Integrated Security=SSPI;User Id=joe;Password=pw`, false, `how=ntlm user=\joe password=pw`},
		{ado + `Trusted_Connection=Yes;User Id=joe@corp.example;Password=pw`, false, `how=ntlm user=\joe@corp.example password=pw`},
		{ado + `Integrated Security=True`, false, "!integrated security"},
		{ado + `Trusted_Connection=yes`, false, "!trusted_connection"},
		{ado + `Integrated Security=True`, true, "how=process"},
		{ado + `authenticator=krb5;krb5-realm=corp.example;User Id=joe;Password=pw`, false, "how=kerberos user=joe password=pw realm=CORP.EXAMPLE"},
		{ado + `authenticator=krb5;User Id=joe@corp.example;Password=pw`, false, "how=kerberos user=joe password=pw realm=CORP.EXAMPLE"},
		{ado + `authenticator=krb5;User Id=joe;Password=pw`, false, "!realm"},
		{ado + `authenticator=krb5;User Id=joe@corp.example`, false, "!password"},
		{ado + `authenticator=krb5;User Id=joe@corp.example;krb5-keytabfile=/etc/a.keytab`, false, "!krb5-keytabfile"},
		{ado + `authenticator=krb5;User Id=joe@corp.example;krb5-keytabfile=/etc/a.keytab`, true, "how=kerberos user=joe realm=CORP.EXAMPLE keytab=/etc/a.keytab"},
		{ado + `authenticator=krb5;krb5-credcachefile=/tmp/cc`, false, "!krb5-credcachefile"},
		{ado + `authenticationScheme=NTLM;domain=corp;User=joe;Password=pw`, false, `how=ntlm user=corp\joe password=pw`},
		{ado + `authenticator=radius;User=joe;Password=pw`, false, "!authenticator"},
		{ado + "Authentication=Sql Password;User Id=joe;Password=pw", false, "user=joe password=pw"},
		{ado + "Authentication=Active Directory Password;User Id=joe@x.example;Password=pw", false, "how=entra-password user=joe@x.example password=pw client=" + app},
		{ado + `Authentication="ActiveDirectoryServicePrincipal";User Id=11-22@x.example;Password=pw`, false, "how=entra-application user=11-22 password=pw tenant=x.example"},
		{ado + `fedauth=ActiveDirectoryApplication;User Id=11-22;Password=pw`, false, "how=entra-application user=11-22 password=pw"},
		{ado + `Authentication=ActiveDirectoryServicePrincipal;User Id=joe/../x;Password=pw`, false, "!user id"},
		{ado + `Authentication=ActiveDirectoryPassword;User Id=joe@x;Password=pw;Encrypt=False`, false, "!encrypt"},
		{ado + `Authentication=ActiveDirectoryPassword;User Id=joe@x;Password=pw;TrustServerCertificate=True`, false, "!trustservercertificate"},
		{ado + `Authentication=ActiveDirectoryPassword;User Id=joe@x`, false, "!password"},
		{ado + `Access Token=eyJabc`, false, "how=entra-token password=eyJabc"},
		{ado + "Authentication=Active Directory Interactive;User Id=joe", true, "!authentication"},
		{ado + "Authentication=ActiveDirectoryDeviceCodeFlow", false, "!authentication"},
		{ado + "Authentication=Active Directory Managed Identity", false, "!authentication"},
		{ado + "Authentication=ActiveDirectoryMsi", false, "!authentication"},
		{ado + "Authentication=ActiveDirectoryDefault", false, "!authentication"},
		{ado + "Authentication=ActiveDirectoryIntegrated", false, "!authentication"},
		{ado + "fedauth=ActiveDirectoryAzCli", false, "!fedauth"},
		{ado + "fedauth=ActiveDirectoryEnvironment", false, "!fedauth"},
		{ado + "Authentication=Active Directory Workload Identity", false, "!authentication"},
		{ado + "Authentication=ActiveDirectoryMsi", true, "how=entra-managed"},
		{ado + "Authentication=ActiveDirectoryDefault", true, "how=entra-default"},
		{ado + "fedauth=ActiveDirectoryAzCli", true, "how=entra-cli"},
		{ado + "Authentication=Magic;User Id=joe;Password=pw", false, "!authentication"},
		{ado + "Integrated Security=perhaps", false, "!integrated security"},
	} {
		conn, err := mssql.Parse(c.text, c.local)
		if key, bad := strings.CutPrefix(c.want, "!"); bad {
			wantKey(t, c.text, err, key)
		} else if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if got := mssql.Described(conn); got != "host=db db=shop "+c.want {
			t.Errorf("%s:\n got %s\nwant host=db db=shop %s", c.text, got, c.want)
		}
	}
}

func TestNoTextFormHasASecret(t *testing.T) {
	t.Parallel()
	conn, err := mssql.Parse(`Server=db\inst,1500;Database=shop;User Id=joe;Password=s3cr3t-w0rd`, false)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "conn", conn)
	text, _ := json.Marshal(map[string]any{"a": conn, "b": *conn})
	for _, out := range []string{
		conn.String(), fmt.Sprintf("%v %+v %#v %s %q", conn, conn, conn, conn, conn),
		fmt.Sprintf("%v %+v %#v", *conn, *conn, *conn), string(text), log.String(),
	} {
		if strings.Contains(out, "s3cr3t") || strings.Contains(out, "joe") {
			t.Errorf("secret in %s", out)
		}
	}
	if got := conn.String(); got != "db:1500/shop" {
		t.Errorf("String() = %s", got)
	}
	if conn.Server() != "db:1500" || conn.Database() != "shop" || conn.User() != "joe" {
		t.Errorf("Server %s, Database %s, User %s", conn.Server(), conn.Database(), conn.User())
	}
}

func FuzzParse(f *testing.F) {
	const marker = "M4rk3r-S3cr3t"
	for _, seed := range []string{
		"Server=db;Database=d;User Id=u;Password=%s", `Server=db;PWD="%s`, "Driver={x};Server=db;Pwd={%s", "sqlserver://u:%s@db:x/y?z=%%zz",
		"jdbc:sqlserver://db:1;password={%s};x", "%s", "Server=%s;", "Server=db;Database=d;User Id=u;Password=a;%s=1", "Authentication=%s", "sqlserver://%s#@",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, form string, local bool) {
		text := strings.ReplaceAll(form, "%s", marker)
		conn, err := mssql.Parse(text, local)
		if err != nil {
			var fault *mssql.ConnectionStringError
			if !errors.As(err, &fault) {
				t.Fatalf("%q: %v", text, err)
			}
			if out := fmt.Sprintf("%v %+v %s", err, fault, ingest.HintOf(err)); strings.Contains(strings.ToLower(out), strings.ToLower(marker)) {
				t.Fatalf("%q: secret in error %s", text, out)
			}
			return
		}
		if conn.Server() == "" || conn.Database() == "" {
			t.Fatalf("%q: no server or database, and no error", text)
		}
		if strings.Contains(strings.ToLower(conn.Server()+conn.Database()), strings.ToLower(marker)) {
			return // the marker stands for what is no secret
		}
		if out := fmt.Sprintf("%v %+v %#v", conn, *conn, conn); strings.Contains(out, marker) {
			t.Fatalf("%q: secret in %s", text, out)
		}
	})
}
