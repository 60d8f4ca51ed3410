package seal_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"dropline/ingest"
	"dropline/internal/seal"
)

func TestKMSKeyNames(t *testing.T) {
	t.Parallel()
	for uri, ok := range map[string]bool{
		"aws-kms://" + testKey: true,
		"aws-kms://arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab": true,
		"": false, testKey: false, "gcp-kms://" + testKey: false, "aws-kms://": false, "aws-kms://" + testKey + "\n": false,
		"aws-kms://arn:aws:kms:eu-west-1:111122223333:alias/dropline":                                    false,
		"aws-kms://arn:aws:kms:evil.example.org/?:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab": false,
		"aws-kms://arn:aws:s3:eu-west-1:111122223333:key/x":                                              false,
		"aws-kms://arn:aws:kms:eu-west-1:1111:key/x":                                                     false,
	} {
		err := seal.CheckKMS(uri)
		if ok && err != nil {
			t.Errorf("%q: %v", uri, err)
		}
		if !ok {
			wantError(t, uri, err, ingest.Invalid)
			_, err = seal.OpenKMS(within(t), uri, newFakeKMS(t, nil).config())
			wantError(t, uri, err, ingest.Invalid)
		}
	}
}

func TestKMSRefusals(t *testing.T) {
	t.Parallel()
	for code, kind := range map[string]ingest.Kind{
		"AccessDeniedException": ingest.Denied, "UnrecognizedClientException": ingest.Denied, "ExpiredTokenException": ingest.Denied,
		"DisabledException": ingest.Denied, "NotFoundException": ingest.Denied, "KMSInvalidStateException": ingest.Denied,
		"ThrottlingException": ingest.Unavailable, "KeyUnavailableException": ingest.Unavailable,
		"InvalidCiphertextException": ingest.Internal, "IncorrectKeyException": ingest.Internal, "Something New": ingest.Internal,
	} {
		refusing := newFakeKMS(t, func(w http.ResponseWriter) { answerError(w, http.StatusBadRequest, code) })
		k, err := seal.OpenKMS(within(t), "aws-kms://"+testKey, refusing.config())
		if kind != ingest.Unavailable {
			wantError(t, code, err, kind)
			if ingest.HintOf(err) == "" {
				t.Errorf("%s: no hint", code)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: a server must be able to start: %v", code, err)
			continue
		}
		wantError(t, code, k.Check(within(t)), kind)
		_, err = k.Seal(within(t), []byte(secret), whose)
		wantError(t, code, err, kind)
	}
}

func TestKMSOutOfReach(t *testing.T) {
	t.Parallel()
	raw := sealed(t, openKMS(t, newFakeKMS(t, nil), testKey), secret, whose)
	leak := base64.StdEncoding.EncodeToString([]byte("hunter2hunter2"))
	for name, refuse := range map[string]func(http.ResponseWriter){
		"gone":    nil,
		"ill":     func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"gateway": func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway); fmt.Fprint(w, "<html>") },
		"garbage": func(w http.ResponseWriter) { fmt.Fprintf(w, `{"Plaintext": "hunter2hunter2 %s`, leak) },
		"torn":    func(w http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		f := newFakeKMS(t, refuse)
		if name == "gone" {
			f.Close()
		}
		k, err := seal.OpenKMS(within(t), "aws-kms://"+testKey, f.config())
		if err != nil {
			t.Errorf("%s: a server must be able to start: %v", name, err)
			continue
		}
		_, err = k.Seal(within(t), []byte(secret), whose)
		wantError(t, name, err, ingest.Unavailable)
		_, err = k.Open(within(t), raw, whose)
		wantError(t, name, err, ingest.Unavailable)
		if name == "garbage" && !strings.HasSuffix(err.Error(), "what came back is no answer of KMS") {
			t.Errorf("repeats an answer: %v", err)
		}
		if err != nil && (strings.Contains(err.Error(), leak) || ingest.HintOf(err) == "") {
			t.Errorf("%s: %v (%s)", name, err, ingest.HintOf(err))
		}
	}
}

// TestKMSKnowsWhose: what a secret is for is bound by KMS too, and stands in its records.
func TestKMSKnowsWhose(t *testing.T) {
	t.Parallel()
	f := newFakeKMS(t, nil)
	k := openKMS(t, f, testKey)
	f.trail = nil
	if _, err := k.Open(within(t), sealed(t, k, secret, whose), whose); err != nil {
		t.Fatal(err)
	}
	for _, context := range f.trail {
		if len(context) != 1 || context["dropline"] != whose {
			t.Errorf("encryption context %v", context)
		}
	}
	if len(f.trail) != 2 {
		t.Errorf("%d uses", len(f.trail))
	}
}

// TestKMSStalls: whoever waits for KMS waits no longer than it wants to.
func TestKMSStalls(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	f := newFakeKMS(t, func(http.ResponseWriter) { <-end })
	t.Cleanup(func() { close(end) }) // before the server is closed, which waits for its answers
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := seal.OpenKMS(ctx, "aws-kms://"+testKey, f.config())
	wantError(t, "stalled", err, ingest.Unavailable)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("waited for %v", took)
	}
}

// TestKMSEndpointOfTheEnvironment is how compatible services are used. It changes the environment and runs alone.
func TestKMSEndpointOfTheEnvironment(t *testing.T) {
	f := newFakeKMS(t, nil)
	none := newFakeKMS(t, nil)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_KMS": f.URL, "AWS_ENDPOINT_URL": none.URL, "AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "x",
		"AWS_REGION": "ap-southeast-2", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
	cfg, err := awsconfig.LoadDefaultConfig(within(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := seal.OpenKMS(within(t), "aws-kms://"+testKey, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(within(t), sealed(t, k, secret, whose), whose); err != nil || string(got) != secret {
		t.Errorf("not what was sealed: %v", err)
	}
	if f.calls.Load() != 4 || none.calls.Load() != 0 {
		t.Errorf("%d questions to the endpoint for KMS and %d to the other", f.calls.Load(), none.calls.Load())
	}
	if k.KeyID() != testKey {
		t.Errorf("key id %q", k.KeyID())
	}
}
