"""Result files to Markdown, LaTeX, figures and one HTML page; reads files only."""
