package inventory

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// format is the version of the stored formats.
const format = 1

// maxDecoded is the size of the largest record that is read, in bytes: an
// inventory of more than a million objects.
const maxDecoded = 1 << 30

type stored struct {
	Format int `json:"format"`
	*Inventory
}

type storedRecord struct {
	Format int `json:"format"`
	*Record
}

// Encode returns inv as compressed JSON.
func (inv *Inventory) Encode() ([]byte, error) {
	data, err := compress(stored{format, inv})
	if err != nil {
		return nil, fmt.Errorf("encoding the inventory: %w", err)
	}
	return data, nil
}

// Decode reads what [Inventory.Encode] wrote.
func Decode(data []byte) (*Inventory, error) {
	s := stored{Inventory: new(Inventory)}
	if err := decompress(data, &s); err != nil {
		return nil, err
	}
	return s.Inventory, checkFormat(s.Format)
}

func checkFormat(found int) error {
	if found != format {
		return fmt.Errorf("it has format %d, and this version reads %d", found, format)
	}
	return nil
}

// compress returns v as compressed JSON.
func compress(v any) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	err := json.NewEncoder(z).Encode(v)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// decompress reads what compress wrote.
func decompress(data []byte, into any) error {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxDecoded+1))
	if err != nil {
		return err
	}
	if len(text) > maxDecoded {
		return fmt.Errorf("it is larger than %d bytes", maxDecoded)
	}
	return json.Unmarshal(text, into)
}
