// Package zflowv1 is the generated Go of the .proto files beside it.
package zflowv1
