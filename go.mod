module github.com/planvet/planvet

go 1.26.0
