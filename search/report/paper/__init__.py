"""What a paper quotes of a sweep: LaTeX tables, a paragraph on what was done, the papers it rests on."""
