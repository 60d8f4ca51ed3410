package seal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dropline/ingest"
)

const (
	// kmsTimeout bounds one question to KMS, the SDK's own further tries included.
	kmsTimeout = 15 * time.Second
	// kmsScheme stands before the ARN in a key's URI, as tink has it.
	kmsScheme = "aws-kms://"
	// contextKey is the name of the associated data in KMS's encryption context.
	contextKey = "dropline"
	// maxCause bounds, in bytes, what an error repeats of a lower one.
	maxCause = 512
)

// kmsARN is a key's ARN. Aliases are left out on purpose: one that comes to mean another key would make secrets unreadable.
var kmsARN = regexp.MustCompile(`^arn:aws[a-z-]{0,16}:kms:([a-z0-9-]{1,32}):[0-9]{12}:key/[A-Za-z0-9-]{1,64}$`)

// kmsKey wraps data keys in AWS KMS.
type kmsKey struct {
	client *kms.Client
	arn    string
	where  string // for errors: the region, or the endpoint if it is not the usual one
}

// CheckKMS says what is wrong with a KMS key's URI: it is aws-kms:// and a key's ARN. The error is Invalid.
func CheckKMS(uri string) error {
	_, _, err := parseKMS(uri)
	return err
}

func parseKMS(uri string) (arn, region string, err error) {
	arn, ok := strings.CutPrefix(uri, kmsScheme)
	match := kmsARN.FindStringSubmatch(arn)
	if !ok || match == nil {
		return "", "", &ingest.Error{
			Kind: ingest.Invalid, Op: "seal.OpenKMS",
			Err:  errors.New("a KMS key is named by aws-kms:// and the ARN of the key itself, not of an alias"),
			Hint: "such as aws-kms://arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		}
	}
	return arn, match[1], nil
}

// OpenKMS uses a key in AWS KMS, named aws-kms://arn:aws:kms:…:key/…, in the region that its ARN names. cfg has the
// credentials; its AWS_ENDPOINT_URL_KMS counts. The key is tried once: where KMS refuses, the error says so (Denied, or
// Invalid for a URI that is none). KMS out of reach is no error here, as it may be back by the time it is needed: Check tells.
func OpenKMS(ctx context.Context, uri string, cfg aws.Config) (*Keyring, error) {
	arn, region, err := parseKMS(uri)
	if err != nil {
		return nil, err
	}
	cfg = cfg.Copy()
	cfg.Region = region
	key := &kmsKey{client: kms.NewFromConfig(cfg), arn: arn, where: "in " + region}
	if endpoint := key.client.Options().BaseEndpoint; endpoint != nil {
		key.where = "at " + *endpoint
	}
	k := &Keyring{key: key}
	if err := k.Check(ctx); err != nil && (ctx.Err() != nil || ingest.KindOf(err) != ingest.Unavailable) {
		return nil, err
	}
	return k, nil
}

func (k *kmsKey) wrap(ctx context.Context, dataKey, associated []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	out, err := k.client.Encrypt(ctx, &kms.EncryptInput{
		KeyId: &k.arn, Plaintext: dataKey, EncryptionContext: map[string]string{contextKey: string(associated)},
	})
	if err != nil {
		return nil, k.refusal("seal.Seal", err)
	}
	return out.CiphertextBlob, nil
}

func (k *kmsKey) unwrap(ctx context.Context, wrapped, associated []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kmsTimeout)
	defer cancel()
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: &k.arn, CiphertextBlob: wrapped, EncryptionContext: map[string]string{contextKey: string(associated)},
	})
	if err != nil {
		return nil, k.refusal("seal.Open", err)
	}
	return out.Plaintext, nil
}

func (*kmsKey) sort() byte { return sortKMS }

func (k *kmsKey) id() string { return k.arn }

// refusal says what KMS's error means. Of KMS's own words only the code is passed on: the rest is a service's answer, of any
// length and content.
func (k *kmsKey) refusal(op string, err error) error {
	e := &ingest.Error{Kind: ingest.Internal, Op: op, Hint: "check the key in AWS KMS and secrets.kms_key"}
	var invalid *types.InvalidCiphertextException
	var incorrect *types.IncorrectKeyException
	if errors.As(err, &invalid) || errors.As(err, &incorrect) {
		e.Err, e.Hint = errSealed, hintAgain
		return e
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		e.Kind, e.Err = ingest.Unavailable, fmt.Errorf("AWS KMS %s does not answer: %s", k.where, cause(err))
		e.Hint = "check that AWS KMS can be reached from here and that there are AWS credentials; AWS_ENDPOINT_URL, if set, counts for KMS unless AWS_ENDPOINT_URL_KMS is"
		return e
	}
	code := errorCode(api)
	e.Err = fmt.Errorf("AWS KMS %s refuses to use the key %s: %s", k.where, k.arn, code)
	switch code {
	case "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidClientTokenId", "ExpiredTokenException",
		"ExpiredToken", "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "OptInRequired":
		e.Kind, e.Hint = ingest.Denied, "allow kms:Encrypt and kms:Decrypt on this key to the service's role, and check its credentials and the clock"
	case "DisabledException", "NotFoundException", "KMSInvalidStateException", "InvalidKeyUsageException":
		e.Kind, e.Hint = ingest.Denied, "the key must be there, enabled, symmetric and for encryption: check it in AWS KMS"
	default:
		if passing(code, err) {
			e.Kind, e.Hint = ingest.Unavailable, "try again"
			e.Err = fmt.Errorf("AWS KMS %s cannot use the key %s at present: %s", k.where, k.arn, code)
		}
	}
	return e
}

// passing reports whether an error of KMS goes by itself.
func passing(code string, err error) bool {
	switch code {
	case "ThrottlingException", "Throttling", "LimitExceededException", "RequestLimitExceeded", "KeyUnavailableException",
		"DependencyTimeoutException", "KMSInternalException", "ServiceUnavailable", "ServiceUnavailableException", "InternalFailure", "RequestTimeout":
		return true
	}
	var response *smithyhttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError
}

// cause says why there was no answer. An answer that could not be read is not repeated: it may hold a data key.
func cause(err error) string {
	var unread *smithy.DeserializationError
	var send *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "the time for it is over"
	case errors.As(err, &unread):
		return "what came back is no answer of KMS"
	case errors.As(err, &send):
		err = send.Err
	}
	text := strings.ToValidUTF8(err.Error(), "")
	if len(text) > maxCause {
		text = strings.ToValidUTF8(text[:maxCause], "") + "…"
	}
	return text
}

// errorCode is an error's code if it looks like one.
func errorCode(api smithy.APIError) string {
	code := api.ErrorCode()
	if len(code) == 0 || len(code) > 64 {
		return "an unknown error"
	}
	for _, c := range []byte(code) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' {
			return "an unknown error"
		}
	}
	return code
}
