package cosign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// minRSABits is the size of the smallest RSA key that is taken.
const minRSABits = 2048

// ParseKeys reads the public keys in a PEM file, as cosign writes them
// (cosign.pub): ECDSA, Ed25519, or RSA of at least 2048 bits. It is an error if
// there is none, or if anything else is in the file.
func ParseKeys(file []byte) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for {
		block, rest := pem.Decode(file)
		if block == nil {
			break
		}
		file = rest
		if block.Type != "PUBLIC KEY" {
			return nil, fmt.Errorf("key %d: want a PEM block PUBLIC KEY, not %.40q", len(keys)+1, block.Type)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err == nil {
			err = usable(key)
		}
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(keys)+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("no public key: want a PEM block PUBLIC KEY")
	}
	return keys, nil
}

// usable reports why signatures by a key count for nothing.
func usable(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if k.N == nil || k.N.BitLen() < minRSABits {
			return fmt.Errorf("an RSA key must have at least %d bits", minRSABits)
		}
		return nil
	}
	return fmt.Errorf("keys of type %T: %w", key, errors.ErrUnsupported)
}

// signedBy reports whether signature is that of key over payload, in the
// scheme that cosign uses with keys of that type.
func signedBy(key crypto.PublicKey, payload, signature []byte) bool {
	if usable(key) != nil {
		return false
	}
	sum := sha256.Sum256(payload)
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, sum[:], signature)
	case ed25519.PublicKey:
		return len(k) == ed25519.PublicKeySize && ed25519.Verify(k, payload, signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil
	}
	return false
}
