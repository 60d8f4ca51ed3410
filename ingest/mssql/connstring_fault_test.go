package mssql_test

import (
	"errors"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/ingest/mssql"
)

func wantKey(t *testing.T, text string, err error, key string) {
	t.Helper()
	var fault *mssql.ConnectionStringError
	switch {
	case !errors.As(err, &fault):
		t.Errorf("%s: error %v, want one that names %q", text, err, key)
	case fault.Key != key:
		t.Errorf("%s: key %q at fault (%v), want %q", text, fault.Key, err, key)
	case ingest.KindOf(err) != ingest.Invalid || ingest.HintOf(err) == "":
		t.Errorf("%s: kind %v, hint %q", text, ingest.KindOf(err), ingest.HintOf(err))
	}
}

func TestParseNamesTheKeyAtFault(t *testing.T) {
	t.Parallel()
	for text, key := range map[string]string{
		"":                                      "",
		" ":                                     "",
		";;":                                    "server",
		"Database=shop;User Id=joe;Password=pw": "server",
		"Server=;Database=shop;User Id=joe;Password=pw":                "server",
		"Server=db;User Id=joe;Password=pw":                            "database",
		"Server=db;Database=;User Id=joe;Password=pw":                  "database",
		"Server=db;Database=shop;Password=pw":                          "user id",
		"Server=db;Database=shop;User Id=joe":                          "password",
		"Server=db;Database=shop;User Id=joe;Password=":                "password",
		base + "Server=db,0":                                           "server",
		base + "Server=db,65536":                                       "server",
		base + "Server=db,":                                            "server",
		base + "Server=db,-1":                                          "server",
		base + "Server=db,14 33":                                       "server",
		base + "Server=db,1433,1434":                                   "server",
		base + "Server=db/../x":                                        "server",
		base + "Server=db@evil":                                        "server",
		base + "Server=a..b":                                           "server",
		base + "Server=bücher.example":                                 "server",
		base + "Server=fe80::1%eth0":                                   "server",
		base + "Server=" + strings.Repeat("a", 64):                     "server",
		base + `Server=db\`:                                            "server",
		base + `Server=db\a b`:                                         "server",
		base + `Server=db\` + strings.Repeat("a", 17):                  "server",
		base + `Server=np:\\db\pipe\sql\query`:                         "server",
		base + `Data Source=\\db\pipe\sql\query`:                       "data source",
		base + "Server=lpc:db":                                         "server",
		base + "Server=admin:db":                                       "server",
		base + `Server=(localdb)\MSSQLLocalDB`:                         "server",
		base + "Port=abc":                                              "port",
		base + `AttachDbFilename=C:\x.mdf`:                             "attachdbfilename",
		base + "User Instance=True":                                    "user instance",
		base + "Context Connection=True":                               "context connection",
		base + "Encrypt=maybe":                                         "encrypt",
		base + "TrustServerCertificate=2":                              "trustservercertificate",
		base + "ServerCertificate=/etc/passwd":                         "servercertificate",
		base + "certificate=/etc/passwd":                               "certificate",
		base + "HostNameInCertificate=a/b":                             "hostnameincertificate",
		base + "tlsmin=0.9":                                            "tlsmin",
		base + "Connect Timeout=-1":                                    "connect timeout",
		base + "Connect Timeout=99999999999":                           "connect timeout",
		base + "Packet Size=100":                                       "packet size",
		base + "Packet Size=40000":                                     "packet size",
		base + "MultiSubnetFailover=x":                                 "multisubnetfailover",
		base + "ApplicationIntent=Write":                               "applicationintent",
		base + "Network Library=dbnmpntw":                              "network library",
		base + "protocol=np":                                           "protocol",
		base + "Column Encryption Setting=Enabled":                     "column encryption setting",
		base + "change password=new":                                   "change password",
		base + `Failover Partner=db2\inst`:                             "failover partner",
		base + "Failover Partner=np:db2":                               "failover partner",
		base + "DSN=mine":                                              "dsn",
		base + "FileDSN=mine":                                          "filedsn",
		base + "trustStore=/etc/x":                                     "truststore",
		base + "clientcertpath=/etc/x":                                 "clientcertpath",
		base + "krb5-configfile=/etc/krb5.conf":                        "krb5-configfile",
		base + "Frobnicate=1":                                          "frobnicate",
		base + "Encript=True":                                          "encript",
		base + "p4ss;w0rd=1":                                           "",
		base + "w0rd1=1":                                               "",
		base + "nonsense":                                              "",
		base + "=x":                                                    "",
		base + `Password="unclosed`:                                    "password",
		base + `Password="a"b`:                                         "password",
		base + "Workstation ID=" + strings.Repeat("a", 129):            "workstation id",
		base + "Database=" + strings.Repeat("a", 129):                  "database",
		base + "User Id=" + strings.Repeat("a", 129):                   "user id",
		base + "Application Name=a\x00b":                               "",
		base + "Application Name=a\nb":                                 "",
		base + "Application Name=a\u202eb":                             "",
		base + "Application Name=a\xffb":                               "",
		base + strings.Repeat("x", mssql.MaxConnectionString):          "",
		base + strings.Repeat("Pooling=1;", 250):                       "",
		"metadata=res://*/a.csdl;provider connection string='x'":       "metadata",
		"Driver={x};Server=db;Database=shop;Uid=joe;Pwd={pw":           "pwd",
		"Driver={x};Server=db;Database=shop;Uid=joe;Pwd={p}w}":         "pwd",
		"sqlserver://joe:pw@db":                                        "database",
		"sqlserver://joe:pw@db/shop":                                   "database",
		"sqlserver://joe:pw@?database=shop":                            "server",
		"sqlserver://joe:pw@db:0?database=shop":                        "port",
		"sqlserver://joe:pw@db:1433x?database=shop":                    "",
		"sqlserver://joe:p%zz@db?database=shop":                        "",
		"sqlserver://joe:p#w@db?database=shop":                         "",
		"sqlserver://joe:pw@db?database=shop&Database=x":               "database",
		"sqlserver://joe:pw@db?database=shop&encrypt=%zz":              "",
		"sqlserver://joe:pw@db?database=shop&app+name=a%00b":           "app name",
		"sqlserver://joe:pw@db?database=shop&bogus=1":                  "bogus",
		"postgres://joe:pw@db/shop":                                    "",
		"jdbc:mysql://db;databaseName=shop":                            "",
		"jdbc:sqlserver://db:x;databaseName=shop;user=joe;password=pw": "portnumber",
		"mongodb+srv://joe:pw@db":                                      "",
	} {
		_, err := mssql.Parse(text, false)
		wantKey(t, text, err, key)
	}
	_, err := mssql.Parse(base+"Encript=True", false)
	if err == nil || !strings.Contains(err.Error(), `did you mean "encrypt"?`) {
		t.Errorf("no suggestion in: %v", err)
	}
}
