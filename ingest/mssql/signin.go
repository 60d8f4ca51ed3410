package mssql

import (
	"strings"
	"unicode/utf8"
)

// signIn is a way to sign in.
type signIn uint8

const (
	signInSQL signIn = iota
	signInNTLM
	signInKerberos
	signInProcess // the identity of this process, by SSPI on Windows and Kerberos elsewhere; local only
	signInEntraPassword
	signInEntraApplication
	signInEntraToken
	signInEntraDefault // local only, as are those after it
	signInEntraManaged
	signInEntraCLI
	signInEntraEnvironment
	signInEntraWorkload
)

// adoClient is the application that SqlClient signs users in as, unless told otherwise. Microsoft keeps it in every directory.
const adoClient = "2fd908ad-0664-4344-b9be-cd3e8b574c38"

const (
	whyOurs      = "it would sign in as this service, which is not yours to use; give a user and a password, or an application's id and secret"
	whyPerson    = "it needs somebody at a screen; give a user and a password, or an application's id and secret"
	whyNoTLS     = "an access token is sent over a verified connection only; leave Encrypt at True, or give the private certificate authority with the request as certificateAuthority"
	longestLogin = 128 // characters, of SQL Server's logins and passwords
)

// buildSignIn finds out who is to sign in, and how.
func (f *fields) buildSignIn(said map[field]given) error {
	f.user, f.password = said[fieldUser].value, said[fieldPassword].value
	how, named := said[fieldAuthentication]
	if _, token := said[fieldToken]; token && !named {
		how = given{said[fieldToken].key, "activedirectoryserviceprincipalaccesstoken"}
	}
	switch method := normal(how.value); method {
	case "", "sqlpassword", "notspecified":
		return f.buildClassic(said)
	case "activedirectorypassword":
		f.signIn = signInEntraPassword
	case "activedirectoryserviceprincipal", "activedirectoryapplication":
		f.signIn = signInEntraApplication
	case "activedirectoryserviceprincipalaccesstoken":
		f.signIn = signInEntraToken
	case "activedirectorydefault", "activedirectoryintegrated":
		f.signIn = signInEntraDefault
	case "activedirectorymanagedidentity", "activedirectorymsi":
		f.signIn = signInEntraManaged
	case "activedirectoryazcli":
		f.signIn = signInEntraCLI
	case "activedirectoryenvironment":
		f.signIn = signInEntraEnvironment
	case "activedirectoryworkloadidentity":
		f.signIn = signInEntraWorkload
	case "activedirectoryinteractive", "activedirectorydevicecode", "activedirectorydevicecodeflow":
		return fault(how.key, whyPerson)
	default:
		return fault(how.key, "it is one of SqlPassword, ActiveDirectoryPassword and ActiveDirectoryServicePrincipal")
	}
	return f.buildEntra(how.key, said)
}

// buildClassic is SQL Server's own logins and those of Windows.
func (f *fields) buildClassic(said map[field]given) error {
	integrated, err := parseIntegrated(said[fieldIntegrated])
	if err != nil {
		return err
	}
	kerberos, ntlm, err := parseScheme(said[fieldScheme])
	if err != nil {
		return err
	}
	f.realm, f.spn = said[fieldRealm].value, said[fieldSPN].value
	f.krb5Files = krb5Parameters(said[fieldKrb5].value)
	for _, g := range []given{said[fieldUser], said[fieldPassword]} {
		if utf8.RuneCountInString(g.value) > longestLogin {
			return fault(g.key, "it has more than 128 characters, which SQL Server does not take")
		}
	}
	if f.user == "" && (integrated || kerberos || ntlm) {
		if !f.local {
			return fault(first(said, fieldIntegrated, fieldScheme), whyOurs)
		}
		f.signIn = signInProcess
		return nil
	}
	if f.user == "" {
		return fault("user id", "no user is named")
	}
	switch domain := said[fieldDomain].value; {
	case kerberos || f.realm != "":
		return f.buildKerberos()
	case integrated || ntlm || domain != "" || strings.Contains(f.user, `\`):
		f.signIn = signInNTLM
		if !strings.Contains(f.user, `\`) {
			f.user = domain + `\` + f.user // without a domain: an account of the server's machine, or user@domain
		}
	}
	if f.password == "" {
		return fault("password", "no password is given")
	}
	return nil
}

func (f *fields) buildKerberos() error {
	f.signIn = signInKerberos
	if name, realm, ok := strings.Cut(f.user, "@"); ok && (f.realm == "" || strings.EqualFold(realm, f.realm)) {
		f.user, f.realm = name, realm
	}
	if domain, name, ok := strings.Cut(f.user, `\`); ok {
		f.user = name
		if f.realm == "" && strings.Contains(domain, ".") {
			f.realm = domain
		}
	}
	f.realm = strings.ToUpper(f.realm)
	if f.local {
		return nil // krb5.conf, keytab and cache may say the rest
	}
	if _, err := vetHost("realm", f.realm, false); err != nil || !strings.Contains(f.realm, ".") {
		return fault("realm", "Kerberos needs the realm, such as CORP.EXAMPLE.COM")
	}
	if f.password == "" {
		return fault("password", "no password is given")
	}
	return nil
}

// buildEntra is the directories of Microsoft Entra, once named Azure Active Directory.
func (f *fields) buildEntra(key string, said map[field]given) error {
	if f.signIn >= signInEntraDefault && !f.local {
		return fault(key, whyOurs)
	}
	if f.encrypt == encryptSignIn || f.encrypt == encryptNever {
		return fault(first(said, fieldEncrypt), whyNoTLS)
	}
	if f.trust {
		return fault(first(said, fieldTrust), whyNoTLS)
	}
	switch f.signIn {
	case signInEntraToken:
		if token := said[fieldToken].value; token != "" {
			f.password = token
		}
		f.user = ""
		if f.password == "" {
			return fault("access token", "no access token is given")
		}
		return nil
	case signInEntraPassword:
		f.client = adoClient
		if g, ok := said[fieldClient]; ok {
			f.client = g.value
		}
		if !isDirectoryName(f.client) {
			return fault(first(said, fieldClient), "it is the id of an application, a GUID")
		}
	case signInEntraApplication, signInEntraManaged, signInEntraWorkload:
		f.user, f.tenant, _ = strings.Cut(f.user, "@")
		if f.user != "" && !isDirectoryName(f.user) || f.tenant != "" && !isDirectoryName(f.tenant) {
			return fault(first(said, fieldUser), "it is the id of an application, a GUID, perhaps with @ and the tenant's after it")
		}
	default:
		return nil
	}
	if f.signIn >= signInEntraDefault {
		return nil
	}
	if f.user == "" {
		return fault("user id", "no user is named")
	}
	if f.password == "" {
		return fault("password", "no password is given")
	}
	return nil
}

// first returns the key under which the first of some fields that was said was said.
func first(said map[field]given, of ...field) string {
	for _, f := range of {
		if g, ok := said[f]; ok {
			return g.key
		}
	}
	return ""
}

func parseIntegrated(g given) (bool, error) {
	if g.value == "" {
		return false, nil
	}
	if strings.EqualFold(g.value, "sspi") {
		return true, nil
	}
	on, err := parseBool(g.key, g.value)
	if err != nil {
		return false, fault(g.key, "it is True, SSPI or False")
	}
	return on, nil
}

func parseScheme(g given) (kerberos, ntlm bool, err error) {
	switch strings.ToLower(g.value) {
	case "":
		return false, false, nil
	case "krb5", "kerberos", "javakerberos":
		return true, false, nil
	case "ntlm", "winsspi", "nativeauthentication":
		return false, true, nil
	}
	return false, false, fault(g.key, "it is NTLM or Kerberos")
}

// krb5Parameters reads back what sortKeys gathered.
func krb5Parameters(text string) map[string]string {
	lines := strings.Split(text, "\n")
	if len(lines) < 2 {
		return nil
	}
	parameters := map[string]string{}
	for i := 0; i+1 < len(lines); i += 2 {
		parameters[lines[i]] = lines[i+1]
	}
	return parameters
}

// isDirectoryName tells an id or a domain of Entra: letters, digits, dots and hyphens, up to 253.
func isDirectoryName(name string) bool {
	if len(name) > 253 || strings.Contains(name, "..") || strings.Trim(name, ".-") != name || name == "" {
		return false
	}
	for _, r := range name {
		if !isASCIIAlnum(r) && r != '-' && r != '.' {
			return false
		}
	}
	return true
}
