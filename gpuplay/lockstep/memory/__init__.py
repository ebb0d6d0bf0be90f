"""What the words of memory know: values, who wrote them, what orders two accesses, what traffic they are."""
