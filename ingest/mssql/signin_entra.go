package mssql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const longestEntraAnswer = 1 << 20

var (
	errEntraServer    = errors.New("the server asks for an access token that is not for SQL Server, or sends to a sign-in page that is not Microsoft's")
	errEntraAway      = errors.New("the sign-in service, Microsoft Entra, could not be asked for an access token")
	errEntraFederated = errors.New("the user signs in with an organisation's own server, which cannot be used here")
)

// entraError is a refusal of Microsoft Entra's, by its number.
type entraError struct{ code string }

func (e *entraError) Error() string { return "Microsoft Entra refused to sign in: " + e.code }

// entra gets access tokens from Microsoft Entra. A SQL server says where to ask and for what, and is not believed: the
// driver's own code would ask for any scope, and hand a hostile server a token for the client's mail or cloud.
type entra struct {
	fields *fields
	reach  reach
	client *http.Client // nil: made with reach

	mu     sync.Mutex
	tokens map[string]azcore.AccessToken
	now    func() time.Time

	refused atomic.Pointer[error] // what Do would not do; the identity library keeps but its text
}

// clouds maps the sign-in hosts that servers name to the cloud that they are of.
func clouds() map[string]cloud.Configuration {
	public := cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/"}
	government := cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.microsoftonline.us/"}
	china := cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.chinacloudapi.cn/"}
	return map[string]cloud.Configuration{
		"login.microsoftonline.com":        public,
		"login.windows.net":                public,
		"login.microsoft.com":              public,
		"sts.windows.net":                  public,
		"login.microsoftonline.us":         government,
		"login.chinacloudapi.cn":           china,
		"login.partner.microsoftonline.cn": china,
		"login-us.microsoftonline.com":     government,
	}
}

// audiences are what a token may be for.
func audiences() []string {
	return []string{
		"https://database.windows.net/", "https://database.usgovcloudapi.net/",
		"https://database.chinacloudapi.cn/", "https://database.cloudapi.de/",
	}
}

// accessToken returns the token that the string has.
func (c *connector) accessToken(context.Context) (string, error) { return c.conn.f.password, nil }

// token returns an access token for a server that names itself spn and its directory sts.
func (e *entra) token(ctx context.Context, spn, sts string) (string, error) {
	scope, where, tenant, err := vetEntra(spn, sts)
	if err != nil {
		return "", err
	}
	if e.fields.tenant != "" {
		tenant = e.fields.tenant
	}
	key := where.ActiveDirectoryAuthorityHost + " " + tenant + " " + scope
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.tokens[key]; ok && t.ExpiresOn.Sub(e.now()) > 5*time.Minute {
		return t.Token, nil
	}
	credential, err := e.credential(where, tenant)
	if err != nil {
		return "", entraFailure(err)
	}
	e.refused.Store(nil)
	t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		if refused := e.refused.Load(); refused != nil {
			err = *refused
		}
		return "", entraFailure(err)
	}
	e.tokens = map[string]azcore.AccessToken{key: t}
	return t.Token, nil
}

// vetEntra takes from what a server says only what is Microsoft's.
func vetEntra(spn, sts string) (scope string, where cloud.Configuration, tenant string, err error) {
	for _, audience := range audiences() {
		if strings.TrimRight(strings.TrimSuffix(spn, "/.default"), "/") == strings.TrimRight(audience, "/") {
			scope = audience + "/.default" // with both slashes: the first belongs to the audience
		}
	}
	u, parseErr := url.Parse(sts)
	if scope == "" || parseErr != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" {
		return "", where, "", errEntraServer
	}
	where, known := clouds()[strings.ToLower(u.Hostname())]
	tenant, _, _ = strings.Cut(strings.Trim(u.Path, "/"), "/")
	if !known || !isDirectoryName(tenant) {
		return "", where, "", errEntraServer
	}
	return scope, where, tenant, nil
}

func (e *entra) credential(where cloud.Configuration, tenant string) (azcore.TokenCredential, error) {
	f := e.fields
	options := azcore.ClientOptions{Cloud: where, Transport: e, Retry: policy.RetryOptions{MaxRetries: -1}}
	switch f.signIn {
	case signInEntraPassword:
		//nolint:staticcheck // deprecated for want of a second factor, and what clients' strings ask for
		o := &azidentity.UsernamePasswordCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true}
		return azidentity.NewUsernamePasswordCredential(tenant, f.client, f.user, f.password, o) //nolint:staticcheck // see above
	case signInEntraApplication:
		return azidentity.NewClientSecretCredential(tenant, f.user, f.password,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	case signInEntraManaged:
		o := &azidentity.ManagedIdentityCredentialOptions{}
		if f.user != "" {
			o.ID = azidentity.ClientID(f.user)
		}
		return azidentity.NewManagedIdentityCredential(o)
	case signInEntraCLI:
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: tenant})
	case signInEntraEnvironment:
		return azidentity.NewEnvironmentCredential(nil)
	case signInEntraWorkload:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientID: f.user, TenantID: f.tenant})
	default:
		return azidentity.NewDefaultAzureCredential(nil)
	}
}

// Do sends a request of the identity library to one of Microsoft's sign-in hosts, and to no other.
func (e *entra) Do(req *http.Request) (*http.Response, error) {
	host := strings.ToLower(req.URL.Hostname())
	if _, known := clouds()[host]; !known || req.URL.Scheme != "https" || req.URL.Port() != "" {
		return nil, e.refuse(errEntraFederated)
	}
	resp, err := e.httpClient().Do(req)
	if err != nil {
		return nil, e.refuse(err)
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, longestEntraAnswer), resp.Body}
	return resp, nil
}

func (e *entra) refuse(err error) error {
	e.refused.Store(&err)
	return err
}

// httpClient returns a client that dials under the policy, and follows nobody.
func (e *entra) httpClient() *http.Client {
	if e.client != nil {
		return e.client
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return e.reach.dial(ctx, network, host, port)
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, DisableKeepAlives: true, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
}

// entraFailure keeps of an error of the identity library, which repeats whole answers, what says why.
func entraFailure(err error) error {
	var refused *policyError
	switch {
	case errors.As(err, &refused), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, errEntraFederated):
		return errEntraFederated
	}
	if code := regexp.MustCompile(`AADSTS[0-9]{4,9}`).FindString(err.Error()); code != "" {
		return &entraError{code}
	}
	var answered *azidentity.AuthenticationFailedError
	if errors.As(err, &answered) && answered.RawResponse != nil {
		return &entraError{"HTTP " + fmt.Sprint(answered.RawResponse.StatusCode)}
	}
	return fmt.Errorf("%w: %w", errEntraAway, err)
}
