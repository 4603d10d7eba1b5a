//go:build !unix

package ab

import "time"

// processCPU is not known here: a generator that is too busy is not found.
func processCPU() time.Duration { return 0 }
