"""What a data set holds, what it lacks, and who leaks into which split."""
