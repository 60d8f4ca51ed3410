package mssql

// keyGroup is a rule and the keys that it is for, as normal writes them, separated by spaces.
type keyGroup struct {
	keys string
	rule
}

const (
	whyFile  = "files of the service cannot be named in a connection string; a certificate authority goes with the request as certificateAuthority"
	whyStore = "key stores cannot be used; a certificate authority goes with the request as certificateAuthority"
	whyDSN   = "a DSN is known to your machine only; write out its server, database, user and password"
)

// keyGroups returns every known key: of SqlClient, OLE DB, ODBC, JDBC and go-mssqldb.
func keyGroups() []keyGroup {
	return append(honoured(), append(ignored(), refused()...)...)
}

func honoured() []keyGroup {
	return []keyGroup{
		{"server datasource address addr networkaddress", rule{field: fieldServer}},
		{"servername", rule{field: fieldHost}},
		{"port portnumber", rule{field: fieldPort}},
		{"instance instancename", rule{field: fieldInstance}},
		{"failoverpartner", rule{field: fieldFailover}},
		{"failoverport", rule{field: fieldFailoverPort}},
		{"database initialcatalog databasename", rule{field: fieldDatabase}},
		{"userid uid user username", rule{field: fieldUser}},
		{"password pwd", rule{field: fieldPassword}},
		{"integratedsecurity trustedconnection", rule{field: fieldIntegrated}},
		{"authentication fedauth", rule{field: fieldAuthentication}},
		{"authenticationscheme authenticator", rule{field: fieldScheme}},
		{"domain", rule{field: fieldDomain}},
		{"realm krb5-realm", rule{field: fieldRealm}},
		{"serverspn", rule{field: fieldSPN}},
		{"accesstoken", rule{field: fieldToken}},
		{"applicationclientid", rule{field: fieldClient}},
		{"encrypt useencryptionfordata", rule{field: fieldEncrypt}},
		{"trustservercertificate", rule{field: fieldTrust}},
		{"hostnameincertificate", rule{field: fieldHostInCert}},
		{"servercertificate", rule{field: fieldCertFile, local: true, reason: whyFile}},
		{"certificate", rule{field: fieldCAFile, local: true, reason: whyFile}},
		{"tlsmin", rule{field: fieldTLSMin}},
		{"connecttimeout connectiontimeout timeout logintimeout dialtimeout", rule{field: fieldTimeout}},
		{"multisubnetfailover", rule{field: fieldMultiSubnet}},
		{"packetsize", rule{field: fieldPacketSize}},
		{"workstationid wsid", rule{field: fieldWorkstation}},
		{"applicationintent", rule{field: fieldIntent}},
		{"protocol", rule{field: fieldProtocol}},
		{"networklibrary network net", rule{field: fieldLibrary}},
		{"columnencryption columnencryptionsetting", rule{field: fieldColumnEncryption}},
		{
			"krb5-configfile krb5-keytabfile krb5-credcachefile krb5-dnslookupkdc krb5-udppreferencelimit",
			rule{field: fieldKrb5, local: true, reason: "Kerberos files of the service cannot be used; give user, password and realm"},
		},
	}
}

func ignored() []keyGroup {
	return []keyGroup{
		{"applicationname app appname language currentlanguage description", rule{}}, // dropline goes by its own name
		{"persistsecurityinfo persistsecurityinformation pooling minpoolsize maxpoolsize poolblockingperiod", rule{}},
		{"connectionlifetime loadbalancetimeout connectionreset enlist transactionbinding replication", rule{}},
		{"multipleactiveresultsets marsconnection asynchronousprocessing async commandtimeout typesystemversion", rule{}},
		{"connectretrycount connectretryinterval disableretry ipaddresspreference transparentnetworkipresolution", rule{}},
		{"failoverpartnerspn attestationprotocol enclaveattestationurl epaenabled guidconversion timezone notraceid", rule{}},
		{"driver provider datatypecompatibility autotranslate quotedid ansinpw regional keepalive keepaliveinterval log", rule{}},
		{"querylogon querylogtime statslogon clientcharset retryexec replicationsupport packetdelay getdataextensions", rule{}},
		{"sendstringparametersasunicode selectmethod responsebuffering lastupdatecount sockettimeout querytimeout", rule{}},
		{"locktimeout statementpoolingcachesize disablestatementpooling xopenstates usebulkcopyforbatchinsert", rule{}},
		{"delayloadingleobs sendtimeasdatetime cancelquerytimeout schema connectionlimit poolsize pooltimeout", rule{}},
		{"maxallowedpacket charset oledbservices autotranslation usefmtonly longasmax contextinfo", rule{}},
	}
}

func refused() []keyGroup {
	return []keyGroup{
		{"userinstance contextconnection", rule{field: fieldMustBeOff, reason: "it works within one machine only"}},
		{"attachdbfilename extendedproperties initialfilename attachdbfile", rule{
			field: fieldRefused, reason: "a database file cannot be attached; name a database that the server has",
		}},
		{"dsn filedsn savefile", rule{field: fieldRefused, reason: whyDSN}},
		{"truststore truststorepassword truststoretype keystoreauthentication keystorelocation keystoresecret keystoreprincipalid", rule{
			field: fieldRefused, reason: whyStore,
		}},
		{"clientcertificate clientcertpath clientkey clientkeypassword", rule{
			field: fieldRefused, reason: "client certificates cannot be used; give a user and a password, or an application's id and secret",
		}},
		{"trustmanagerclass socketfactoryclass jaasconfigurationname gsscredential usedefaultjaasconfig", rule{
			field: fieldRefused, reason: "it names a Java class or configuration, which there is none of here",
		}},
		{"changepassword newpassword", rule{field: fieldRefused, reason: "dropline changes no password; change it first, then give the new one"}},
		{"pipe", rule{field: fieldRefused, reason: "named pipes cannot be used; give host,port and enable TCP/IP on the server"}},
		{"metadata providerconnectionstring", rule{
			field: fieldRefused, reason: "this is Entity Framework's; send what is quoted in its provider connection string",
		}},
		{"userassertion clientassertion serviceconnectionid systemaccesstoken tokenfilepath resourceid msiclientid", rule{
			field: fieldRefused, reason: "this way to sign in cannot be used; give an application's id and secret",
		}},
		{"additionallyallowedtenants disableinstancediscovery sendcertificatechain", rule{
			field: fieldRefused, reason: "whom to ask for a token is not for the connection string to say",
		}},
	}
}
