package inventory

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// format is the version of the stored format.
const format = 1

// maxDecoded is the size of the largest inventory that is read, in bytes: more
// than a million objects.
const maxDecoded = 1 << 30

type stored struct {
	Format int `json:"format"`
	*Inventory
}

// Encode returns inv as compressed JSON.
func (inv *Inventory) Encode() ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err := json.NewEncoder(z).Encode(stored{format, inv})
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, fmt.Errorf("encoding the inventory: %w", err)
	}
	return b.Bytes(), nil
}

// Decode reads what [Inventory.Encode] wrote.
func Decode(data []byte) (*Inventory, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxDecoded+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxDecoded {
		return nil, fmt.Errorf("it is larger than %d bytes", maxDecoded)
	}
	s := stored{Inventory: new(Inventory)}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	if s.Format != format {
		return nil, fmt.Errorf("it has format %d, and this version reads %d", s.Format, format)
	}
	return s.Inventory, nil
}
