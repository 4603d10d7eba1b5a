//go:build !unix

package pgast

func depthLimit() int { return maxDepth }
