"""What is printed: templates, fonts, and what fills them."""
